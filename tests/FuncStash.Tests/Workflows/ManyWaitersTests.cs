using System.Text.Json.Nodes;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Sqlite;
using FuncStash.Storage;
using FuncStash.Workflows;

namespace FuncStash.Tests.Workflows;

/// <summary>An event that very many runs wait for (protocol#waits-and-events).</summary>
public sealed class ManyWaitersTests
{
    private const int Page = 500, Many = Page + 30;

    [Fact]
    public async Task They_are_notified_page_by_page_each_once()
    {
        await using var store = new ReadStore();
        await using var service = new TestService(store: store);
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        for (var i = 0; i < Many; i++)
        {
            await flow.TriggerAsync($"wfr_{i}", "p", ("Upstash-Delay", "1h"));
            await flow.WaitAsync($"wfr_{i}", 1, "paid");
        }

        var listed = (await service.CallAsync("GET", "/v2/waiters/paid")).Json.AsArray();
        store.Watch();
        var notified = await service.CallAsync("POST", "/v2/notify/paid", "e");

        Assert.Equal(Many, listed.Select(waiter => (string)waiter!["workflowRunId"]!).Distinct().Count());
        Assert.Equal(201, notified.Status);
        Assert.Equal(Many, notified.Json.AsArray().Select(item => (string)item!["workflowRunId"]!).Distinct().Count());
        Assert.Equal("[]", (await service.CallAsync("GET", "/v2/waiters/paid")).Text);
        // The first page's are notified before the second is read.
        Assert.True(store.WaitersReadBeforeTheFirstCommit <= Page, $"{store.WaitersReadBeforeTheFirstCommit} were read at once");
    }

    [Fact]
    public async Task A_run_that_waits_anew_while_others_are_notified_is_not_notified_twice()
    {
        await using var service = new TestService();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        for (var i = 0; i < Many; i++)
            await flow.TriggerAsync($"wfr_{i}", "p", ("Upstash-Delay", "1h"));
        for (var i = 0; i < Many; i++)
            await flow.WaitAsync($"wfr_{i}", 1, "tick");
        var events = service.Get<RunEvents>();
        var notified = new List<string>();

        await foreach (var item in events.NotifyAsync("tick", []))
        {
            notified.Add(item.Run.Spec.RunId);
            await flow.WaitAsync(item.Run.Spec.RunId, 2, "tick");
        }

        Assert.Equal(Many, notified.Count);
        Assert.Equal(Many, (await service.CallAsync("GET", "/v2/waiters/tick")).Json.AsArray().Count);
    }

    [Fact]
    public async Task Those_that_came_to_wait_after_an_event_are_not_told_of_it()
    {
        await using var service = new TestService();
        var (index, read, pages) = (service.Get<WaiterIndex>(), 0, 0);
        await AddAPageAsync();

        await foreach (var page in index.PagesAsync("tick"))
        {
            read += page.Count;
            service.Time.Advance(TimeSpan.FromMinutes(1));
            // Each page of them would bring the next.
            if (++pages < 5)
                await AddAPageAsync();
        }

        Assert.Equal(Page, read);

        async Task AddAPageAsync()
        {
            for (var i = 0; i < Page; i++)
                await index.AddAsync("tick", service.Get<MessageIds>().Next().OfRun(), 1);
        }
    }

    [Fact]
    public async Task One_that_is_broken_fails_and_hinders_no_other()
    {
        await using var service = new TestService();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        foreach (var run in new[] { "wfr_0", "wfr_1", "wfr_2" })
        {
            await flow.StartAsync(run, "p");
            await flow.WaitAsync(run, 1, "paid");
        }
        var key = (await service.Get<RunIndex>().FindAsync("wfr_1"))!.Value;
        await service.Get<IStore>().Tables.CommitAsync(new Commit(
            RunRows.Table, RunRows.Partition(key), [new Write.Delete(RunRows.StepRow(key, new StepKey(1, StepKind.Wait)), null)]));

        var notified = await service.CallAsync("POST", "/v2/notify/paid", "e");

        Assert.Equal(["wfr_0", "wfr_2"], notified.Json.AsArray().Select(item => (string)item!["workflowRunId"]!).Order());
        Assert.Equal("RUN_FAILED", (string)(await flow.LogAsync("wfr_1"))["workflowState"]!);
    }

    /// <summary>Counts how many waiters are read before anything is stored.</summary>
    private sealed class ReadStore : IStore, ITables, IAsyncDisposable
    {
        private readonly SqliteStore _store = SqliteStore.Open(":memory:", TimeProvider.System);
        private bool _isWatched, _hasCommitted;

        public int WaitersReadBeforeTheFirstCommit { get; private set; }

        public void Watch() => _isWatched = true;

        public bool IsWhole => _store.IsWhole;

        public ITables Tables => this;

        public IWorkQueues Queues => _store.Queues;

        public IBodies Bodies => _store.Bodies;

        public ValueTask PingAsync(CancellationToken cancellation = default) => _store.PingAsync(cancellation);

        public ValueTask<Entity?> GetAsync(
            string table, string partitionKey, string rowKey, IReadOnlyList<string>? only, CancellationToken cancellation = default) =>
            _store.Tables.GetAsync(table, partitionKey, rowKey, only, cancellation);

        public async ValueTask<IReadOnlyList<Entity>> QueryAsync(
            string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only = null, CancellationToken cancellation = default)
        {
            var rows = await _store.Tables.QueryAsync(table, partitionKey, range, take, only, cancellation);
            if (_isWatched && !_hasCommitted && table == WaiterIndex.Table)
                WaitersReadBeforeTheFirstCommit += rows.Count;
            return rows;
        }

        public ValueTask<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation = default)
        {
            _hasCommitted |= _isWatched && commit.Table == RunRows.Table;
            return _store.Tables.CommitAsync(commit, cancellation);
        }

        public ValueTask DisposeAsync() => _store.DisposeAsync();
    }
}
