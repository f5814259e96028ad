using FuncStash.Messages;
using FuncStash.Sqlite;
using FuncStash.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Tests.Logs;

/// <summary>A list of messages that go on while it is read has each of them once (protocol#logs).</summary>
public sealed class GroupedWhileTheyGoOnTests : IAsyncDisposable
{
    // Nothing listens on port 1.
    private const string Dead = "http://127.0.0.1:1/";

    private readonly TestService _service = new(change: services => services.AddSingleton<IStore>(
        all => new WatchedStore(SqliteStore.Open(":memory:", all.GetRequiredService<TimeProvider>()))));

    private WatchedStore Store => (WatchedStore)_service.Get<IStore>();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task One_that_ends_between_the_reads_of_creations_and_of_events_comes_once()
    {
        await _service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "1h"));
        var id = await _service.PublishAsync(Dead, "", ("Upstash-Retries", "0"));
        _service.Time.Advance(TimeSpan.FromSeconds(1));
        var (created, ended) = (0, new TaskCompletionSource());
        var creations = new TaskCompletionSource();
        Store.Reading = from =>
        {
            // Those of what has ended are asked for after those of what is live: all live ones have been read.
            if (from.StartsWith(MessageRows.Ended, StringComparison.Ordinal) && ++created == MessageId.Shards)
                creations.SetResult();
            return from.StartsWith(MessageRows.Event, StringComparison.Ordinal) ? ended.Task : Task.CompletedTask;
        };

        var listing = IdsAsync("");
        await creations.Task.WaitAsync(TestContext.Current.CancellationToken);
        Store.Reading = _ => Task.CompletedTask;
        await _service.DeliverDueAsync();
        ended.SetResult();

        Assert.Equal(1, (await listing).Count(listed => listed == id));
        Assert.Equal(MessageState.Failed, (await _service.MessageAsync(id))!.Progress.State);
    }

    [Theory]
    [InlineData("", "RETRY")]
    [InlineData("&state=IN_PROGRESS", "RETRY")]
    [InlineData("&messageIds=", "RETRY")]
    public async Task One_that_goes_on_before_its_row_is_read_is_listed_as_it_was(string query, string state)
    {
        var id = await _service.PublishAsync(Dead, "", ("Upstash-Retries", "2"), ("Upstash-Retry-Delay", "1000"));
        await _service.DeliverDueAsync();
        _service.Time.Advance(TimeSpan.FromSeconds(10));
        var (isOver, events) = (false, (await _service.MessageAsync(id))!.Progress.Events);
        // Its events have been read when its row is asked for; by its id it is looked up first, so there before any event is.
        Store.Reading = async key =>
        {
            var isThere = query.EndsWith('=') ? key.StartsWith(MessageRows.Event, StringComparison.Ordinal) : key == MessageRows.Live + id || key.EndsWith(id, StringComparison.Ordinal);
            if (isOver || !isThere)
                return;
            isOver = true;
            await _service.DeliverDueAsync();
        };

        var answer = await _service.CallAsync("GET", $"/v2/events?groupBy=messageId{query}{(query.EndsWith('=') ? id : "")}");

        Assert.True(isOver && events < (await _service.MessageAsync(id))!.Progress.Events);
        Assert.Equal((id, state), answer.Json["events"]!.AsArray().Select(entry => ((string)entry!["messageId"]!, (string)entry["state"]!)).Single());
    }

    [Fact]
    public async Task One_that_goes_on_between_two_pages_is_on_none_that_follows_and_first_when_one_begins_anew()
    {
        var moving = await _service.PublishAsync(Dead, "", ("Upstash-Retries", "0"), ("Upstash-Delay", "1m"));
        for (var i = 0; i < 3; i++)
        {
            _service.Time.Advance(TimeSpan.FromSeconds(1));
            await _service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "1h"));
        }
        var first = (await _service.CallAsync("GET", "/v2/events?groupBy=messageId&count=2")).Json;
        _service.Time.Advance(TimeSpan.FromMinutes(2));
        await _service.DeliverDueAsync();
        Assert.Equal(MessageState.Failed, (await _service.MessageAsync(moving))!.Progress.State);

        var rest = await IdsAsync("&cursor=" + Uri.EscapeDataString((string)first["cursor"]!));

        Assert.Single(rest);
        Assert.DoesNotContain(moving, rest);
        Assert.Equal(moving, (await IdsAsync(""))[0]);
    }

    private async Task<IReadOnlyList<string>> IdsAsync(string query) =>
        [.. (await _service.CallAsync("GET", "/v2/events?groupBy=messageId" + query)).Json["events"]!.AsArray().Select(entry => (string)entry!["messageId"]!)];
}
