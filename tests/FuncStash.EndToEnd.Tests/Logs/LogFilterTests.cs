namespace FuncStash.EndToEnd.Tests.Logs;

/// <summary>The filters of the log (protocol#logs). They are applied to entries that were read, whatever the store.</summary>
public abstract class LogFilterTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task Filters_find_what_they_name_and_nothing_else()
    {
        var (one, two) = (Unique("one"), Unique("two"));
        Receiver.Answers("/b", Answer.Of(500));
        var a = await Wire.PublishAsync(Receiver.Url("/a"), "", ("Upstash-Label", one));
        var b = await Wire.PublishAsync(Receiver.Url("/b"), "", ("Upstash-Label", $"x,{two}"), ("Upstash-Retries", "0"));
        await Wire.StatesUntilAsync(a, "DELIVERED");
        await Wire.StatesUntilAsync(b, "FAILED");
        var (urlA, authority) = (Uri.EscapeDataString(Receiver.Url("/a")), Receiver.Authority);

        await AssertFoundAsync([a], "label=" + one);
        await AssertFoundAsync([b], "label=" + two);
        await AssertFoundAsync([a, b], $"label={one}&label={two}");
        await AssertFoundAsync([a, b], $"label={one},{two}");
        await AssertFoundAsync([a], $"messageId={a}");
        await AssertFoundAsync([a, b], $"messageIds={a}&messageIds={b}");
        await AssertFoundAsync([a], "url=" + urlA);
        await AssertFoundAsync([a, b], "host=" + authority);
        await AssertFoundAsync([b], $"host={authority}&path=/b");
        await AssertFoundAsync([b], $"host={authority}&state=FAILED");
        await AssertFoundAsync([b], $"host={authority}&state=ERROR");
        await AssertFoundAsync([a, b], $"host={authority}&state=IN_PROGRESS");
        await AssertFoundAsync([], $"label={one}&state=FAILED");
        await AssertFoundAsync([], $"label={one}&url={Uri.EscapeDataString(Receiver.Url("/b"))}");
        await AssertFoundAsync([], $"label={one}&callerIp=10.9.8.7");
        await AssertFoundAsync([a], $"label={one}&callerIp=127.0.0.1");
        await AssertFoundAsync([], "label=" + one[..^1]);
    }

    private async Task AssertFoundAsync(string[] ids, string filter)
    {
        var events = await Wire.EventsAsync(filter);
        Assert.Equal(ids.Order(), events.Select(entry => (string)entry["messageId"]!).Distinct().Order());
    }
}

public sealed class LogFiltersOnSqlite(SqliteHost hosts, NodeSdk sdk) : LogFilterTests(hosts, sdk);

public sealed class LogFiltersOnFunctions(FunctionsHost hosts, NodeSdk sdk) : LogFilterTests(hosts, sdk);
