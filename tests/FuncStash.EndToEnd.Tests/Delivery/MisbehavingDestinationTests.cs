
namespace FuncStash.EndToEnd.Tests.Delivery;

/// <summary>Destinations as they really behave: connections that close, early answers, answers without end.</summary>
public abstract class MisbehavingDestinationTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_closes_after_each_answer_without_saying_so_gets_every_message(bool reset)
    {
        const int Many = 400;
        var label = Unique("closing");
        var random = new Random(1);
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(Ok);
            await Task.Delay(TimeSpan.FromMicroseconds(reset ? 1000 : random.Next(3000)), TimeProvider.System);
            if (reset)
                connection.Reset();
        });
        for (var i = 0; i < Many; i++)
        {
            await Wire.PublishAsync(receiver.Url(), "", ("Upstash-Retries", "0"), ("Upstash-Label", label));
            await Task.Delay(TimeSpan.FromMicroseconds(random.Next(4000)), TimeProvider.System);
        }

        var ended = await Eventually.GetAsync(
            async () => (await Wire.EventsAsync("label=" + label)).Select(entry => (string?)entry["state"]).ToList(),
            states => states.Count(state => state is "DELIVERED" or "FAILED") == Many,
            states => string.Join(' ', states.CountBy(state => state!)), TimeSpan.FromSeconds(60));
        Assert.Equal(Many, ended.Count(state => state == "DELIVERED"));
    }

    [Theory]
    [InlineData("413 Content Too Large", 413)]
    [InlineData("489 Never\r\nUpstash-NonRetryable-Error: true", 489)]
    public async Task A_status_before_the_body_was_read_counts(string status, int expected)
    {
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync($"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        });
        var retries = expected == 489 ? "3" : "0";
        var id = await Wire.PublishAsync(receiver.Url(), new string('x', 900_000), ("Upstash-Retries", retries));

        await Wire.EventsUntilAsync(id, "FAILED");
        Assert.Equal(expected, (int?)(await Wire.DeadLetterAsync(id))["responseStatus"]);
        Assert.Equal(1, receiver.Connections);
    }

    [Fact]
    public async Task A_stream_of_events_that_never_ends_is_a_delivery()
    {
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            while (true)
            {
                await connection.WriteAsync("data: tick\n\n");
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        });
        var id = await Wire.PublishAsync(receiver.Url(), "", ("Upstash-Timeout", "2s"), ("Upstash-Retries", "0"));

        Assert.Equal("DELIVERED", (await Wire.StatesUntilAsync(id, "DELIVERED"))[^1]);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task An_application_at_localhost_is_found_at_either_address(string address)
    {
        await using var receiver = RawReceiver.Start(
            async connection =>
            {
                await connection.ReadAsync();
                await connection.WriteAsync(Ok);
            },
            System.Net.IPAddress.Parse(address));
        var id = await Wire.PublishAsync(receiver.Url("/hook", "localhost"), "", ("Upstash-Retries", "0"));

        Assert.Equal("DELIVERED", (await Wire.StatesUntilAsync(id, "DELIVERED"))[^1]);
    }
}

public sealed class MisbehavingDestinationsOnSqlite(SqliteHost hosts, NodeSdk sdk) : MisbehavingDestinationTests(hosts, sdk);

public sealed class MisbehavingDestinationsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : MisbehavingDestinationTests(hosts, sdk);
