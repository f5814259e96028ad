using System.Net;
using System.Net.Sockets;

namespace FuncStash.EndToEnd.Tests.Delivery;

/// <summary>What counts as delivered and what as failed (protocol#attempts).</summary>
public abstract class OutcomeTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Theory]
    [InlineData(200)]
    [InlineData(202)]
    [InlineData(299)]
    public async Task Any_2xx_is_a_success(int status)
    {
        Receiver.Answers("/hook", Answer.Of(status));
        var id = await Wire.PublishAsync(Receiver.Url("/hook"));

        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await Wire.StatesUntilAsync(id, "DELIVERED"));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    public async Task A_redirect_is_a_failure_and_is_not_followed(int status)
    {
        Receiver.Answers("/hook", Answer.Of(status, "", ("Location", Receiver.Url("/elsewhere"))));
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "0"));

        var failed = await Wire.EventsUntilAsync(id, "FAILED");
        var error = failed.Single(entry => (string?)entry["state"] == "ERROR");
        Assert.Equal($"{status} to {Receiver.Url("/elsewhere")}: publish to that URL", (string?)error["error"]);
        Assert.Equal(status, (int?)(await Wire.DeadLetterAsync(id))["responseStatus"]);
        Assert.Empty(Receiver.Requests("/elsewhere"));
    }

    [Fact]
    public async Task An_answer_that_comes_too_late_is_a_failure()
    {
        var gate = new TaskCompletionSource();
        Receiver.Answers("/hook", Answer.Hang(gate.Task));
        var id = await Sdk.CallAsync(Host, "publish", new
        {
            url = Receiver.Url("/hook"), body = "x", timeout = 1, retries = 0,
        });

        var failed = await Wire.EventsUntilAsync((string)id!["messageId"]!, "FAILED");
        var active = failed.First(entry => (string?)entry["state"] == "ACTIVE");
        var error = failed.First(entry => (string?)entry["state"] == "ERROR");
        Assert.InRange((long)error["time"]! - (long)active["time"]!, 900, 5000);
        await AssertNoResponseAsync((string)id["messageId"]!);
        gate.SetResult();
    }

    [Fact]
    public async Task A_destination_nobody_listens_at_is_a_failure()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var url = $"http://{closed.LocalEndpoint}/hook";
        closed.Stop();
        var id = await Wire.PublishAsync(url, "", ("Upstash-Retries", "0"));

        await AssertNoResponseAsync(id);
    }

    [Fact]
    public async Task A_connection_closed_without_an_answer_is_a_failure()
    {
        Receiver.Answers("/hook", new Answer { Abort = true });
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "0"));

        await AssertNoResponseAsync(id);
    }

    [Fact]
    public async Task An_unknown_host_name_is_a_failure()
    {
        var id = await Wire.PublishAsync("http://no-such-host.invalid/hook", "", ("Upstash-Retries", "0"));

        await AssertNoResponseAsync(id);
    }

    private async Task AssertNoResponseAsync(string id)
    {
        var events = await Wire.EventsUntilAsync(id, "FAILED");
        var error = events.Single(entry => (string?)entry["state"] == "ERROR");
        Assert.NotEmpty((string)error["error"]!);
        var letter = await Wire.DeadLetterAsync(id);
        Assert.Equal(System.Text.Json.JsonValueKind.Number, letter["responseStatus"]!.GetValueKind());
    }
}

public sealed class OutcomesOnSqlite(SqliteHost hosts, NodeSdk sdk) : OutcomeTests(hosts, sdk);

public sealed class OutcomesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : OutcomeTests(hosts, sdk);
