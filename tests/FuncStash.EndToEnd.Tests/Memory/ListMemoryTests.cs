using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Memory;

/// <summary>Lists of big messages: all of them come, page by page, and the server holds a part of a page at a time.</summary>
[Collection(Alone.Name)]
public abstract class ListMemoryTests(HostFixture hosts) : IAsyncLifetime
{
    private const int Messages = 150, BodyBytes = 1_000_000, PageBytes = 8 * 1024 * 1024;

    // What the lists may take beyond what the server had before.
    private const long MostGrowth = 100_000_000;

    private readonly string _label = $"big-{Guid.NewGuid():N}";
    private DataStore? _data;
    private RunningHost? _host;

    private RunningHost Host => _host!;

    private WireClient Wire => new(Host);

    public async ValueTask InitializeAsync()
    {
        if (hosts.Unavailable is { } reason)
            Assert.Skip($"{hosts.Name}: {reason}");
        _data = await hosts.NewDataAsync();
        _host = await hosts.StartAsync(_data);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_host is not null)
            await _host.DisposeAsync();
        if (_data is not null)
            await _data.DisposeAsync();
    }

    [Fact]
    public async Task The_log_of_big_messages_comes_in_pages_and_they_are_cancelled_by_a_filter()
    {
        var ids = new List<string>();
        for (var i = 0; i < Messages; i++)
            ids.Add(await Wire.PublishAsync("https://example.com/", Body(i), ("Upstash-Delay", "1h"), ("Upstash-Label", _label)));
        Host.ForgetPeak();
        var before = Host.ResidentBytes;

        var latest = await PagesAsync("/v2/logs?count=1000", "events", "logs");
        var earliest = await PagesAsync("/v2/events?count=1000&order=earliestFirst", "events");
        Assert.Equal(ids.Order(), latest.Select(IdOf).Order());
        Assert.Equal(latest.Select(IdOf).Reverse(), earliest.Select(IdOf));
        foreach (var entry in earliest.Zip(ids).Take(5))
            Assert.Equal(Body(ids.IndexOf(IdOf(entry.First))), Encoding.UTF8.GetString(Convert.FromBase64String((string)entry.First["body"]!)));
        // Many at once, of which only a few hold a page.
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Wire.DrainAsync("/v2/events?count=100")));
        var cancelled = await Wire.DeleteAsync($"/v2/messages?label={_label}&count=500");
        Assert.Equal(Messages, (int)cancelled.Json["cancelled"]!);

        AssertGrowth(before);
    }

    [Fact]
    public async Task Big_dead_letters_come_in_pages_and_are_deleted_by_a_filter()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answers("/hook", Answer.Of(500, new string('x', 100_000)));
        var ids = new List<string>();
        for (var i = 0; i < Messages / 3; i++)
            ids.Add(await Wire.PublishAsync(receiver.Url("/hook"), Body(i), ("Upstash-Retries", "0"), ("Upstash-Label", _label)));
        foreach (var id in ids)
            await Wire.DeadLetterAsync(id);
        Host.ForgetPeak();
        var before = Host.ResidentBytes;

        var earliest = await PagesAsync("/v2/dlq?count=100", "messages");
        var latest = await PagesAsync("/v2/dlq?count=100&order=latestFirst", "messages");
        Assert.Equal(ids.Order(), earliest.Select(IdOf).Order());
        Assert.Equal(earliest.Select(IdOf), latest.Select(IdOf).Reverse());
        Assert.All(earliest, entry => Assert.Equal(100_000, ((string)entry["responseBody"]!).Length));
        var deleted = await Wire.DeleteAsync($"/v2/dlq?label={_label}&responseStatus=500");
        Assert.Equal(Messages / 3, (int)deleted.Json["deleted"]!);

        AssertGrowth(before);
    }

    private void AssertGrowth(long before)
    {
        var growth = Host.PeakBytes - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{before / 1_000_000} MB before, {growth / 1_000_000} MB more at most");
        Assert.InRange(growth, long.MinValue, MostGrowth);
    }

    // All entries of all pages, each of which is one entry more than full at most.
    private async Task<List<JsonNode>> PagesAsync(string target, string name, string? other = null)
    {
        var (entries, cursor) = (new List<JsonNode>(), (string?)null);
        do
        {
            var answer = await Wire.GetAsync(target + (cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor)));
            Assert.True((int)answer.Status == 200, answer.ToString());
            Assert.InRange(answer.Text.Length, 0, PageBytes + ((other is null ? 1 : 2) * 2 * BodyBytes));
            var page = answer.Json[name]!.AsArray().Select(entry => entry!).ToList();
            if (other is not null)
                Assert.Equal(page.Select(IdOf), answer.Json[other]!.AsArray().Select(entry => IdOf(entry!)));
            Assert.NotEmpty(page);
            entries.AddRange(page);
            cursor = (string?)answer.Json["cursor"];
        }
        while (cursor is not null);
        return entries;
    }

    private static string IdOf(JsonNode entry) => (string)entry["messageId"]!;

    private static string Body(int seed) => string.Create(BodyBytes, seed, static (text, number) =>
    {
        text.Fill('b');
        number.TryFormat(text, out _, provider: CultureInfo.InvariantCulture);
    });
}

public sealed class ListMemoryOnSqlite(SqliteHost hosts) : ListMemoryTests(hosts);

public sealed class ListMemoryOnAzurite(AzuriteHost hosts) : ListMemoryTests(hosts);
