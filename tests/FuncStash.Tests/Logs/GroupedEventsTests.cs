using System.Globalization;
using System.Text.Json.Nodes;
using CsCheck;
using FuncStash.Logs;
using FuncStash.Messages;

namespace FuncStash.Tests.Logs;

/// <summary><c>GET /v2/events?groupBy=messageId</c>: each message once, with its latest event; and how much a page holds (protocol#logs).</summary>
public sealed class GroupedEventsTests : IAsyncDisposable
{
    // Nothing listens on port 1.
    private const string Dead = "http://127.0.0.1:1/";

    private readonly TestService _service = new();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task Each_message_comes_once_with_its_latest_state_the_latest_first()
    {
        var (canceled, retried, failed, created) = await FourAsync();

        foreach (var (route, name) in new[] { ("events", "events"), ("logs", "logs"), ("logs", "events") })
        {
            var answer = await _service.CallAsync("GET", $"/v2/{route}?groupBy=messageId");
            Assert.Equal(
                [(created, "CREATED"), (failed, "FAILED"), (retried, "RETRY"), (canceled, "CANCELED")],
                answer.Json[name]!.AsArray().Select(entry => ((string)entry!["messageId"]!, (string)entry["state"]!)));
            Assert.Null(answer.Json["cursor"]);
        }
        Assert.Equal([canceled, retried, failed, created], await IdsAsync("order=earliestFirst"));
    }

    [Fact]
    public async Task An_entry_is_the_one_that_the_list_of_all_events_has()
    {
        await FourAsync();
        var all = (await _service.CallAsync("GET", "/v2/events")).Json["events"]!.AsArray();
        var grouped = (await _service.CallAsync("GET", "/v2/events?groupBy=messageId")).Json["events"]!.AsArray();

        Assert.Equal(
            all.DistinctBy(entry => (string)entry!["messageId"]!).Select(entry => entry!.ToJsonString()),
            grouped.Select(entry => entry!.ToJsonString()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(200)]
    public async Task What_is_rare_is_looked_for_so_far_at_a_time(int looked)
    {
        var rare = await _service.PublishAsync("https://example.com/", headers: ("Upstash-Label", "rare"));
        for (var i = 0; i < 100; i++)
            await _service.PublishAsync("https://example.com/");
        var query = new LogQuery { LatestOnly = true, Count = 5, MaxLooked = looked };
        query.Filter.Add("label", ["rare"]);

        var (pages, found, after) = (0, new List<string>(), (string?)null);
        do
        {
            var page = await _service.Get<LogReader>().ListAsync(query with { After = after });
            found.AddRange(page.Entries.Select(entry => entry.Message.Id.Text));
            Assert.Equal(page.IsCutShort, page.Next is not null);
            after = page.Next;
            pages++;
        }
        while (after is not null);

        Assert.Equal([rare], found);
        Assert.InRange(pages, 101 / looked, (101 / looked) + 1);
    }

    [Fact]
    public async Task Conditions_are_about_the_latest_event()
    {
        var (canceled, retried, failed, created) = await FourAsync();

        Assert.Equal([created], await IdsAsync("state=CREATED"));
        Assert.Equal([retried], await IdsAsync("state=IN_PROGRESS"));
        Assert.Equal([], await IdsAsync("state=ERROR"));
        Assert.Equal([failed, canceled], await IdsAsync("state=FAILED,CANCELED"));
        Assert.Equal([retried], await IdsAsync($"messageIds={retried},unknown"));
        Assert.Equal([created, canceled], await IdsAsync("host=example.com"));
        var last = (await _service.MessageAsync(failed))!.Progress.EndedAt!.Value.ToString(CultureInfo.InvariantCulture);
        Assert.Equal([created, failed], await IdsAsync("fromDate=" + last));
        Assert.Equal([failed, retried, canceled], await IdsAsync("toDate=" + last));
    }

    [Fact]
    public async Task A_page_holds_ten_by_default_and_its_cursor_goes_on()
    {
        for (var i = 0; i < 25; i++)
        {
            _service.Time.Advance(TimeSpan.FromMinutes(1));
            await _service.PublishAsync(i % 2 == 0 ? Dead : "https://example.com/", "", i % 2 == 0 ? ("Upstash-Retries", "0") : ("Upstash-Delay", "1h"));
            await _service.DeliverDueAsync();
        }

        foreach (var order in new[] { "latestFirst", "earliestFirst" })
        {
            var seen = new List<string>();
            var sizes = new List<int>();
            for (var cursor = ""; cursor is not null;)
            {
                var page = (await _service.CallAsync("GET", $"/v2/events?groupBy=messageId&order={order}{cursor}")).Json;
                sizes.Add(page["events"]!.AsArray().Count);
                seen.AddRange(page["events"]!.AsArray().Select(entry => (string)entry!["messageId"]!));
                cursor = page["cursor"] is { } next ? "&cursor=" + Uri.EscapeDataString((string)next!) : null;
            }
            Assert.Equal([10, 10, 5], sizes);
            Assert.Equal(25, seen.Distinct().Count());
        }
        Assert.Equal(25, (await IdsAsync("count=1000")).Count);
    }

    [Theory]
    [InlineData("groupBy=url")]
    [InlineData("groupBy=messageId,url")]
    public async Task Nothing_else_can_be_grouped_by(string query)
    {
        var answer = await _service.CallAsync("GET", "/v2/events?" + query);

        Assert.Equal(400, answer.Status);
        Assert.Contains("invalid groupBy", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_of_events_holds_a_thousand_by_default_and_at_most()
    {
        await _service.Get<MessageStore>().CreateAsync(
            [.. Enumerable.Range(0, 1_200).Select(_ => new NewMessage(_service.NewMessage("https://example.com/")))]);

        foreach (var (query, count) in new[] { ("", 1_000), ("?count=5000", 1_000), ("?count=1100", 1_000), ("?count=7", 7) })
        {
            var page = (await _service.CallAsync("GET", "/v2/events" + query)).Json;
            Assert.Equal(count, page["events"]!.AsArray().Count);
            Assert.NotNull(page["cursor"]);
        }
    }

    // Whatever happens to messages, the list is what the list of all events makes of itself.
    [Fact]
    public Task It_is_the_list_of_all_events_less_what_came_before() => Gen.Int[0, 3].Array[1, 25].SampleAsync(async acts =>
    {
        await using var service = new TestService();
        var ids = new List<string>();
        foreach (var act in acts)
        {
            service.Time.Advance(TimeSpan.FromSeconds(act == 0 ? 40_000 : 7));
            if (act < 3)
                ids.Add(await service.PublishAsync(Dead, "", ("Upstash-Retries", $"{act}"), ("Upstash-Retry-Delay", "7000"), ("Upstash-Delay", $"{act}s")));
            else if (ids.Count > 0)
                await service.CallAsync("DELETE", "/v2/messages/" + ids[^1]);
            await service.DeliverDueAsync();
        }
        var all = (await service.CallAsync("GET", "/v2/events")).Json["events"]!.AsArray().DistinctBy(entry => (string)entry!["messageId"]!);
        var grouped = (await service.CallAsync("GET", "/v2/events?groupBy=messageId&count=100")).Json["events"]!.AsArray();
        Assert.Equal(all.Select(Text), grouped.Select(Text));

        static string Text(JsonNode? entry) => $"{entry!["messageId"]} {entry["state"]} {entry["time"]}";
    }, iter: 30, threads: 1);

    private async Task<(string Canceled, string Retried, string Failed, string Created)> FourAsync()
    {
        var canceled = await _service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "3d"));
        var retried = await _service.PublishAsync(Dead, "", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "86400000"), ("Upstash-Delay", "2h"));
        var failed = await _service.PublishAsync(Dead, "", ("Upstash-Retries", "0"), ("Upstash-Delay", "20h"));
        _service.Time.Advance(TimeSpan.FromHours(1));
        await _service.CallAsync("DELETE", "/v2/messages/" + canceled);
        _service.Time.Advance(TimeSpan.FromHours(1));
        await _service.DeliverDueAsync();
        _service.Time.Advance(TimeSpan.FromHours(18));
        await _service.DeliverDueAsync();
        _service.Time.Advance(TimeSpan.FromMinutes(1));
        return (canceled, retried, failed, await _service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "1h")));
    }

    private async Task<IReadOnlyList<string>> IdsAsync(string query) =>
        [.. (await _service.CallAsync("GET", "/v2/events?groupBy=messageId&" + query)).Json["events"]!.AsArray().Select(entry => (string)entry!["messageId"]!)];
}
