using FuncStash.DeadLetters;
using FuncStash.Delivery;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;

namespace FuncStash.Tests.Delivery;

/// <summary>What was sent is settled: nothing that goes wrong in the store makes the destination be called again.</summary>
public sealed class SettlingTests : IAsyncLifetime
{
    private readonly TaskCompletionSource _arrived = new(), _answer = new();
    private readonly WatchedStore _watched;
    private readonly Service _service;
    private StandIn _destination = null!;
    private int _calls;
    private int _status = 200;

    public SettlingTests()
    {
        WatchedStore? watched = null;
        _service = new Service(inner => watched = new WatchedStore(inner));
        _watched = watched!;
    }

    public async ValueTask InitializeAsync() => _destination = await StandIn.StartAsync(async context =>
    {
        Interlocked.Increment(ref _calls);
        _arrived.TrySetResult();
        await _answer.Task;
        context.Response.StatusCode = _status;
    });

    public async ValueTask DisposeAsync()
    {
        await _destination.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Theory]
    [InlineData(nameof(Fault.Before))]
    [InlineData(nameof(Fault.After))]
    public async Task A_mark_that_fails_to_be_stored_leaves_the_attempt_alone(string fault)
    {
        var (id, step) = await BeginAsync();
        var marks = new TaskCompletionSource();
        var mark = Enum.Parse<Fault>(fault);
        _watched.Faults = commit =>
        {
            if (!IsMark(commit))
                return Fault.None;
            marks.TrySetResult();
            return mark;
        };
        await TimePassesUntilAsync(marks.Task);
        _answer.SetResult();
        await TimePassesUntilAsync(step);

        await AssertAsync(id, MessageState.Delivered, MessageState.Created, MessageState.Active, MessageState.Delivered);
    }

    [Fact]
    public async Task An_attempt_whose_message_got_a_new_ticket_meanwhile_counts()
    {
        var (id, step) = await BeginAsync();
        // Somebody took it for lost.
        var messages = _service.Get<MessageStore>();
        Assert.True(await messages.RestartAsync((await messages.GetAsync(id))!));
        _answer.SetResult();
        await TimePassesUntilAsync(step);

        await WorkAsync();
        await AssertAsync(id, MessageState.Delivered, MessageState.Created, MessageState.Active, MessageState.Delivered);
    }

    [Theory]
    [InlineData(200, nameof(Fault.Before))]
    [InlineData(200, nameof(Fault.After))]
    [InlineData(500, nameof(Fault.Before))]
    [InlineData(500, nameof(Fault.BetweenWritesAndSends))]
    [InlineData(500, nameof(Fault.After))]
    public async Task An_outcome_is_held_on_to_until_the_store_takes_it(int status, string fault)
    {
        _status = status;
        var (id, step) = await BeginAsync(("Upstash-Retries", "0"), ("Upstash-Failure-Callback", _destination.Url + "/callback"));
        var trouble = Enum.Parse<Fault>(fault);
        var failed = 0;
        _watched.Faults = commit => IsEnd(commit) && failed++ < 8 ? trouble : Fault.None;
        _answer.SetResult();
        await TimePassesUntilAsync(step);
        Assert.InRange(failed, 1, 9);

        // What may not have been done of it is done, once.
        await WorkAsync();
        if (status == 200)
        {
            await AssertAsync(id, MessageState.Delivered, MessageState.Created, MessageState.Active, MessageState.Delivered);
            return;
        }
        var stored = await AssertAsync(
            id, MessageState.Failed, MessageState.Created, MessageState.Active, MessageState.Error, MessageState.Failed);
        Assert.Equal(500, (await _service.Get<DeadLetterStore>().GetAsync(DlqId.Parse(stored.Progress.DlqId!)))!.ResponseStatus);
        Assert.NotNull((await _service.Get<MessageStore>().GetAsync(MessageId.Parse(Assert.Single(stored.Followers))))!.Progress.EndedAt);
    }

    [Fact]
    public async Task A_dead_letter_that_the_store_did_not_take_with_the_failure_is_there_in_the_end()
    {
        _status = 500;
        var (id, step) = await BeginAsync(("Upstash-Retries", "0"));
        var failed = 0;
        _watched.Faults = commit => commit.Table == DeadLetterStore.Table && failed++ < 1 ? Fault.Before : Fault.None;
        _answer.SetResult();
        await TimePassesUntilAsync(step);

        var stored = await AssertAsync(
            id, MessageState.Failed, MessageState.Created, MessageState.Active, MessageState.Error, MessageState.Failed);
        Assert.NotNull(await _service.Get<DeadLetterStore>().GetAsync(DlqId.Parse(stored.Progress.DlqId!)));
    }

    [Fact]
    public async Task An_outcome_that_is_held_on_to_for_hours_names_no_payload_that_is_old_enough_to_be_swept()
    {
        _status = 500;
        var (id, step) = await BeginAsync(
            new string('x', 300_000), ("Upstash-Retries", "0"), ("Upstash-Failure-Callback", _destination.Url + "/callback"));
        var until = _service.Time.GetUtcNow() + TimeSpan.FromHours(8);
        _watched.Faults = commit => IsEnd(commit) && _service.Time.GetUtcNow() < until ? Fault.Before : Fault.None;
        _answer.SetResult();
        await TimePassesUntilAsync(step, each: TimeSpan.FromMinutes(1));

        var stored = (await _service.Get<MessageStore>().GetAsync(id))!;
        var letter = (await _service.Get<DeadLetterStore>().GetAsync(DlqId.Parse(stored.Progress.DlqId!)))!;
        var callback = (await _service.Get<MessageStore>().GetAsync(MessageId.Parse(Assert.Single(stored.Followers))))!;
        var young = await _watched.ListAsync(_service.Time.GetUtcNow() - BodyName.Unnamed, DateTimeOffset.MaxValue, null, 100, default);
        Assert.Contains(letter.Message.BodyName, young.Names);
        Assert.Contains(callback.Message.BodyName, young.Names);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Callbacks_go_out_though_two_workers_died_over_the_dead_letter(bool isWhole)
    {
        _status = 500;
        _watched.IsWhole = isWhole;
        var (id, step) = await BeginAsync(("Upstash-Retries", "0"), ("Upstash-Failure-Callback", _destination.Url + "/callback"));
        var letters = 0;
        _watched.Faults = commit => commit.Table != DeadLetterStore.Table ? Fault.None : letters++ switch
        {
            0 => Fault.Before,
            1 => Fault.After,
            _ => Fault.None,
        };
        _answer.SetResult();
        await Assert.ThrowsAsync<StoreFaultException>(() => TimePassesUntilAsync(step));

        await WorkAsync();
        // Whatever is left over is looked at in a while.
        await WorkAsync();
        Assert.InRange(letters, 2, 3);
        await AssertAsync(id, MessageState.Failed, MessageState.Created, MessageState.Active, MessageState.Error, MessageState.Failed);
    }

    private Task<(MessageId Id, Task Step)> BeginAsync(params (string, string)[] headers) => BeginAsync("x", headers);

    private async Task<(MessageId Id, Task Step)> BeginAsync(string body, params (string, string)[] headers)
    {
        var id = (await _service.Get<Publisher>().PublishAsync(Service.Request(_destination.Url, body, headers))).Messages[0].Id;
        var lease = Assert.Single(await ReceiveAsync());
        var step = _service.Get<DeliveryService>().RunAsync(lease.Text, lease);
        await _arrived.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        return (id, step);
    }

    private async Task<StoredMessage> AssertAsync(MessageId id, MessageState end, params MessageState[] log)
    {
        var stored = (await _service.Get<MessageStore>().GetAsync(id))!;
        Assert.Equal(end, stored.Progress.State);
        var page = await _service.Get<LogReader>().ListAsync(new() { MessageIds = [id], EarliestFirst = true });
        Assert.Equal(log, page.Entries.Select(entry => entry.Event.State));
        Assert.Equal(1 + stored.Followers.Count, _calls);
        return stored;
    }

    private async Task WorkAsync()
    {
        // The lease of whoever had it runs out.
        _service.Time.Advance(TimeSpan.FromMinutes(2));
        while (await ReceiveAsync() is { Count: > 0 } leases)
        {
            foreach (var lease in leases)
                await TimePassesUntilAsync(_service.New<DeliveryService>().RunAsync(lease.Text, lease));
        }
    }

    private ValueTask<IReadOnlyList<Lease>> ReceiveAsync() =>
        _service.Store.Queues.ReceiveAsync(WorkItem.Queue, 9, TimeSpan.FromMinutes(1), TimeSpan.Zero);

    private async Task TimePassesUntilAsync(Task done, TimeSpan? each = null)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!done.IsCompleted)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(60), "it does not end");
            _service.Time.Advance(each ?? TimeSpan.FromMilliseconds(200));
            await Task.WhenAny(done, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
        }
        await done;
    }

    private static bool IsMark(Commit commit) => commit.Table == MessageRows.Table
        && commit.Writes.OfType<Write.Replace>().Any(write => write.Entity.Text("State") == MessageState.Active.Wire());

    private static bool IsEnd(Commit commit) => commit.Table == MessageRows.Table
        && commit.Writes.OfType<Write.Insert>().Any(write => write.RowKey.StartsWith(MessageRows.Ended, StringComparison.Ordinal));
}
