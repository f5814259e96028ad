using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Messages;

/// <summary>Cancelling many messages at once (protocol#bulk-cancel).</summary>
public abstract class BulkCancelTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task The_SDK_cancels_a_list_of_ids()
    {
        var (a, b, other) = (await DelayAsync("x"), await DelayAsync("x"), await DelayAsync("x"));

        Assert.Equal("""{"cancelled":2}""", await CancelAsync("messages.cancel", new[] { a, b, "msg_unknown" }));

        await Wire.StatesUntilAsync(a, "CANCELED");
        await Wire.StatesUntilAsync(b, "CANCELED");
        Assert.Equal(other, (string?)(await Wire.MessageAsync(other))["messageId"]);
        Assert.Equal("""{"cancelled":1}""", await CancelAsync("messages.deleteMany", new[] { other, a }));
    }

    [Fact]
    public async Task The_SDK_cancels_by_filters()
    {
        var (one, two) = (Unique("one"), Unique("two"));
        var key = Unique("flow");
        await DelayAsync(one, "/a");
        await DelayAsync(one, "/b");
        await DelayAsync(two, "/a", ("Upstash-Flow-Control-Key", key), ("Upstash-Flow-Control-Value", "rate=5"));

        Assert.Equal("""{"cancelled":0}""", await FilterAsync(new { label = Unique("none") }));
        Assert.Equal("""{"cancelled":1}""", await FilterAsync(new { label = new[] { one, two }, path = "/b" }));
        Assert.Equal("""{"cancelled":1}""", await FilterAsync(new { flowControlKey = key }));
        Assert.Equal("""{"cancelled":1}""", await FilterAsync(new { url = Receiver.Url("/a"), label = one }));
        await DelayAsync(one, "/a");
        await DelayAsync(one, "/a");
        Assert.Equal("""{"cancelled":1}""", await FilterAsync(new { host = Receiver.Authority }, count: 1));
        Assert.Equal("""{"cancelled":1}""", await FilterAsync(new { host = Receiver.Authority, fromDate = NodeSdk.Date(DateTimeOffset.UnixEpoch) }));
    }

    [Fact]
    public async Task A_body_of_ids_cancels_those()
    {
        var (a, b) = (await DelayAsync("x"), await DelayAsync("x"));
        var body = Encoding.UTF8.GetBytes($$"""{"messageIds":["{{a}}","{{b}}"]}""");

        var answer = await Wire.SendAsync(HttpMethod.Delete, "/v2/messages", body, [("Content-Type", "application/json")]);

        Assert.Equal("""{"cancelled":2}""", answer.Text);
    }

    [Theory]
    [InlineData("?labeel=x", "")]
    [InlineData("", """{"labeel":"x"}""")]
    public async Task An_unknown_filter_is_refused_and_cancels_nothing(string query, string body)
    {
        var id = await DelayAsync("x");

        var answer = await Wire.SendAsync(HttpMethod.Delete, "/v2/messages" + query, Encoding.UTF8.GetBytes(body));

        Assert.Equal(400, (int)answer.Status);
        Assert.Contains("labeel", answer.Error, StringComparison.Ordinal);
        Assert.NotNull(await Wire.MessageAsync(id));
    }

    [Fact]
    public async Task Everything_is_cancelled_on_a_host_of_its_own()
    {
        await using var data = await Hosts.NewDataAsync();
        await using var host = await Hosts.StartAsync(data);
        foreach (var call in new[] { "messages.cancel", "messages.deleteAll" })
        {
            for (var n = 0; n < 3; n++)
                await Sdk.CallAsync(host, "publishJSON", new { url = Receiver.Url("/hook"), delay = 600 });
            Assert.Equal("3", (await Sdk.CallAsync(host, call, call == "messages.cancel" ? new { all = true } : null))! switch
            {
                JsonObject answer => answer["cancelled"]!.ToJsonString(),
                var count => count.ToJsonString(),
            });
        }
    }

    private Task<string> DelayAsync(string label, string path = "/hook", params (string, string)[] headers) =>
        Wire.PublishAsync(Receiver.Url(path), "", [("Upstash-Delay", "10m"), ("Upstash-Label", label), .. headers]);

    private Task<string> FilterAsync(object filter, int? count = null) => CancelAsync("messages.cancel", new { filter, count });

    private async Task<string> CancelAsync(string call, object argument) => (await Sdk.CallAsync(Host, call, argument))! switch
    {
        JsonObject answer => answer.ToJsonString(),
        // deleteMany gives the bare number.
        var count => $$"""{"cancelled":{{count.ToJsonString()}}}""",
    };
}

public sealed class BulkCancelOnSqlite(SqliteHost hosts, NodeSdk sdk) : BulkCancelTests(hosts, sdk);

public sealed class BulkCancelOnAzurite(AzuriteHost hosts, NodeSdk sdk) : BulkCancelTests(hosts, sdk);

public sealed class BulkCancelOnFunctions(FunctionsHost hosts, NodeSdk sdk) : BulkCancelTests(hosts, sdk);
