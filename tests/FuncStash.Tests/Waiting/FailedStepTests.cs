using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;
using FuncStash.Waiting;

namespace FuncStash.Tests.Waiting;

/// <summary>
/// What waits outside of the work queue is written down before the step that it belongs to is stored. Where storing that fails,
/// and is done again, only the ticket of the try that was stored acts.
/// </summary>
public sealed class FailedStepTests : IAsyncLifetime
{
    private static readonly TimeSpan s_lease = TimeSpan.FromMinutes(20), s_soon = TimeSpan.FromSeconds(50);

    private readonly WatchedStore _watched;
    private readonly Service _service;
    private readonly List<string> _calls = [];
    private TaskCompletionSource _answer = new();
    private int _unanswered;
    private StandIn _destination = null!;

    public FailedStepTests()
    {
        WatchedStore? watched = null;
        _service = new Service(inner => new PartwiseStore(watched = new WatchedStore(inner)), hasBuckets: true);
        _watched = watched!;
    }

    private MessageStore Messages => _service.Get<MessageStore>();

    public async ValueTask InitializeAsync() => _destination = await StandIn.StartAsync(async context =>
    {
        var answer = _answer.Task;
        lock (_calls)
        {
            _calls.Add(context.Request.Path);
            context.Response.StatusCode = context.Request.Path == "/fails" && _calls.Count == 1 ? 500 : 200;
        }
        Interlocked.Increment(ref _unanswered);
        await answer;
        Interlocked.Decrement(ref _unanswered);
    });

    public async ValueTask DisposeAsync()
    {
        await _destination.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Theory]
    [InlineData(nameof(Fault.Before))]
    [InlineData(nameof(Fault.After))]
    public async Task A_retry_that_is_stored_at_the_second_try_when_it_is_due_soon_is_made_once(string fault)
    {
        var id = await PublishAsync("/fails", ("Upstash-Retry-Delay", "150000"));
        FailOnce(Enum.Parse<Fault>(fault), IsOutcome, then: () => Pass(TimeSpan.FromSeconds(150) - s_soon));

        await WorkOffAsync();
        await AssertEndsAsync(id, "/fails", "/fails");
    }

    [Fact]
    public async Task A_worker_that_learns_late_that_its_outcome_is_stored_leaves_the_next_attempt_to_its_ticket()
    {
        var id = await PublishAsync("/fails", ("Upstash-Retry-Delay", "150000"));
        FailOnce(Fault.After, IsOutcome, then: () => Pass(TimeSpan.FromSeconds(160)));

        await RunAsync(await ReceiveAsync());
        Assert.Equal(["/fails"], _calls);
        await AssertEndsAsync(id, "/fails", "/fails");
    }

    [Fact]
    public async Task A_retry_whose_ticket_comes_before_it_is_stored_is_not_lost()
    {
        var id = await PublishAsync("/fails", ("Upstash-Retry-Delay", "170000"));
        TakeLongOnce(IsOutcome);

        await RunAsync(await ReceiveAsync());
        await AssertEndsAsync(id, "/fails", "/fails");
    }

    [Fact]
    public async Task A_retry_of_which_it_is_learnt_late_that_it_is_stored_is_made_once_though_it_is_being_made()
    {
        var id = await PublishAsync("/fails", ("Upstash-Retry-Delay", "170000"));
        var (retry, answer) = (Task.CompletedTask, new TaskCompletionSource());
        _watched.Written = async commit =>
        {
            if (!IsOutcome(commit))
                return;
            _watched.Written = _ => Task.CompletedTask;
            Pass(TimeSpan.FromMinutes(4));
            await _service.Get<BucketWatch>().RunAsync();
            _answer = answer;
            retry = RunAsync(Assert.Single(await ReceiveAsync()));
        };
        await RunAsync(await ReceiveAsync());
        await _service.PassTimeAsync(UntilAsync(async () => (await Messages.GetAsync(id))!.Progress.State == MessageState.Active), TimeSpan.FromMilliseconds(10));

        // Whoever stored it looks after it, and others work.
        for (var second = 0; second < 20; second++)
        {
            Pass(TimeSpan.FromSeconds(1));
            await WorkOffAsync();
        }
        answer.SetResult();
        await _service.PassTimeAsync(retry, TimeSpan.FromMilliseconds(10));
        await AssertEndsAsync(id, "/fails", "/fails");
    }

    [Fact]
    public async Task A_message_whose_ticket_comes_before_it_is_stored_is_not_lost()
    {
        TakeLongOnce(IsOfMessages);
        await AssertEndsAsync(await PublishAsync("/fine", ("Upstash-Delay", "170s")), "/fine");
    }

    [Fact]
    public async Task A_message_that_is_sent_on_its_way_again_and_whose_ticket_comes_before_that_is_stored_is_not_lost()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "170s"));
        TakeLongOnce(IsOfMessages, ticket: 1);

        Assert.True(await RestartAsync(id));
        await AssertEndsAsync(id, "/fine");
    }

    [Theory]
    [InlineData(nameof(Fault.Before))]
    [InlineData(nameof(Fault.After))]
    public async Task A_callback_that_is_stored_at_the_second_try_when_it_is_due_soon_comes_once(string fault)
    {
        var id = await PublishAsync("/fine", ("Upstash-Callback", _destination.Url + "/told"), ("Upstash-Callback-Delay", "150s"));
        FailOnce(Enum.Parse<Fault>(fault), IsOutcome, then: () => Pass(TimeSpan.FromSeconds(150) - s_soon));

        await WorkOffAsync();
        await AssertEndsAsync(id, "/fine", "/told");
    }

    [Fact]
    public async Task A_message_that_is_sent_on_its_way_again_at_the_second_try_when_it_is_due_soon_comes_once()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "10m"));
        FailOnce(Fault.Before, IsOfMessages);
        await Assert.ThrowsAsync<StoreFaultException>(async () => await RestartAsync(id));
        Pass(TimeSpan.FromMinutes(10) - s_soon);

        Assert.True(await RestartAsync(id));
        await AssertEndsAsync(id, "/fine");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_that_could_not_be_sent_on_its_way_again_comes_once(bool latestFirst)
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "10m"));
        FailOnce(Fault.Before, IsOfMessages);
        await Assert.ThrowsAsync<StoreFaultException>(async () => await RestartAsync(id));
        Pass(TimeSpan.FromMinutes(9));
        await _service.Get<BucketWatch>().RunAsync();
        Pass(TimeSpan.FromMinutes(1));

        // Both are there before either is looked at.
        var tickets = await ReceiveAsync();
        Assert.Equal(2, tickets.Count);
        await RunAsync(latestFirst ? [.. tickets.Reverse()] : tickets);
        await AssertEndsAsync(id, "/fine");
    }

    [Fact]
    public async Task A_message_whose_only_ticket_is_of_a_step_that_was_not_stored_is_not_lost()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "10m"));
        FailOnce(Fault.Before, IsOfMessages);
        await Assert.ThrowsAsync<StoreFaultException>(async () => await RestartAsync(id));
        Pass(TimeSpan.FromMinutes(9));
        await _service.Get<BucketWatch>().RunAsync();
        Pass(TimeSpan.FromMinutes(1));
        foreach (var ticket in await ReceiveAsync())
        {
            if (WorkItem.Parse(ticket.Text) is WorkItem.Deliver { Ticket.Number: 0 })
                Assert.True(await _service.Store.Queues.DeleteAsync(ticket));
            else
                await RunAsync([ticket]);
        }
        Assert.Empty(_calls);

        // When the work queue has been worked through since.
        await AssertEndsAsync(id, "/fine");
    }

    [Fact]
    public async Task A_message_that_two_create_comes_once()
    {
        var due = _service.Now + 600_000;
        var message = new Message { Id = _service.Get<MessageIds>().Next(), Url = _destination.Url + "/fine", NotBefore = due };
        var once = new NewMessage(message, Once: true);
        FailOnce(Fault.Before, IsOfMessages);
        await Assert.ThrowsAsync<StoreFaultException>(async () => await Messages.CreateAsync([once]));
        Pass(TimeSpan.FromMinutes(10) - s_soon);

        Assert.True(Assert.Single(await Messages.CreateAsync([once])));
        Assert.False(Assert.Single(await Messages.CreateAsync([once])));
        await AssertEndsAsync(message.Id, "/fine");
    }

    [Fact]
    public async Task What_waited_before_waits_had_numbers_comes()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "10m"));
        var rows = await _service.Store.Tables.QueryAsync(BucketRows.Table, BucketRows.Index, RowRange.Prefix(""), 10);
        var partition = BucketRows.Partition(BucketRows.FromIndexKey(Assert.Single(rows).RowKey));
        var row = Assert.Single(await _service.Store.Tables.QueryAsync(BucketRows.Table, partition, BucketRows.Deliveries, 10));
        var older = new Entity(partition, row.RowKey[..row.RowKey.LastIndexOf('|')], new Dictionary<string, object>());
        var stored = (await Messages.GetAsync(id))!;
        var message = MessageRows.ToRow(MessageRows.Live, stored with { Progress = stored.Progress with { Wait = 0 } });
        await CommitAsync(new Commit(BucketRows.Table, partition, [new Write.Delete(row.RowKey, null), new Write.Insert(older)]));
        await CommitAsync(new Commit(MessageRows.Table, message.PartitionKey, [new Write.Replace(message, stored.ETag!)]));

        await AssertEndsAsync(id, "/fine");
    }

    [Theory]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3", null, 0)]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832", 1_767_614_921_832, 0)]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832|77", 1_767_614_921_832, 77)]
    public void A_ticket_says_when_it_is_due_and_which_wait_it_ends(string text, long? dueAt, int wait)
    {
        var ticket = new WorkItem.Deliver(new DeliveryTicket(MessageId.Parse("msg_1CWpCHG15QGPitAn3n79YD"), 3), dueAt, wait);

        Assert.Equal(text, ticket.Text);
        Assert.Equal(ticket, WorkItem.Parse(text));
    }

    [Theory]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|x")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832|")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832|x")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832|77|1")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|x|1767614921832|77")]
    public void What_is_no_ticket_means_nothing(string text) => Assert.Null(WorkItem.Parse(text));

    private async Task<MessageId> PublishAsync(string path, params (string Name, string Value)[] headers) =>
        (await _service.Get<Publisher>().PublishAsync(Service.Request(_destination.Url + path, "x", headers))).Messages[0].Id;

    private async Task<bool> RestartAsync(MessageId id) => await Messages.RestartAsync((await Messages.GetAsync(id))!);

    private async Task CommitAsync(Commit commit) => Assert.True((await _service.Store.Tables.CommitAsync(commit)).Applied);

    private static bool IsOfMessages(Commit commit) => commit.Table == MessageRows.Table;

    // Not the mark of an attempt that takes long.
    private static bool IsOutcome(Commit commit) => IsOfMessages(commit)
        && !commit.Writes.OfType<Write.Replace>().Any(write => write.Entity.Text("State") == MessageState.Active.Wire());

    private void FailOnce(Fault fault, Func<Commit, bool> which, Action? then = null) => _watched.Faults = commit =>
    {
        if (!which(commit))
            return Fault.None;
        _watched.Faults = _ => Fault.None;
        then?.Invoke();
        return fault;
    };

    // So long that what waits for it comes meanwhile: all of it, or the tickets of one number.
    private void TakeLongOnce(Func<Commit, bool> which, int? ticket = null) => _watched.Ready = async commit =>
    {
        if (!which(commit))
            return;
        _watched.Ready = _ => Task.CompletedTask;
        Pass(TimeSpan.FromMinutes(4));
        await _service.Get<BucketWatch>().RunAsync();
        var leases = await ReceiveAsync();
        Assert.NotEmpty(leases);
        foreach (var lease in leases.Where(lease => ticket is not { } number || ((WorkItem.Deliver)WorkItem.Parse(lease.Text)!).Ticket.Number == number))
            await RunAsync(lease);
    };

    private void Pass(TimeSpan time) => _service.Time.Advance(time);

    private Task<IReadOnlyList<Lease>> ReceiveAsync() => _service.Store.Queues.ReceiveAsync(WorkItem.Queue, 32, s_lease, TimeSpan.Zero).AsTask();

    // All at once, each by a process of its own, whose host holds its message; nothing is answered before all have gone as far as they can.
    private async Task RunAsync(IReadOnlyList<Lease> leases)
    {
        _answer = new TaskCompletionSource();
        var runs = new List<Task>();
        foreach (var lease in leases)
        {
            runs.Add(RunAsync(lease));
            await _service.PassTimeAsync(
                UntilAsync(() => Task.FromResult(runs.Count(run => !run.IsCompleted) <= Volatile.Read(ref _unanswered))), TimeSpan.FromMilliseconds(1));
        }
        _answer.SetResult();
        await _service.PassTimeAsync(Task.WhenAll(runs), TimeSpan.FromMilliseconds(10));
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        while (!await holds())
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
    }

    private async Task RunAsync(Lease lease)
    {
        using var worker = _service.New<DeliveryService>(new Presence(_service.Store.Tables, _service.Time));
        Assert.NotNull(await worker.RunAsync(lease.Text, new HostLease(lease.Text)));
        await _service.Store.Queues.DeleteAsync(lease);
    }

    private async Task WorkOffAsync()
    {
        while (await ReceiveAsync() is { Count: > 0 } leases)
            await RunAsync(leases);
    }

    private async Task AssertEndsAsync(MessageId id, params string[] calls)
    {
        for (var minute = 0; minute < 15; minute++)
        {
            await _service.PassTimeAsync(_service.Get<BucketWatch>().RunAsync(), TimeSpan.FromSeconds(1));
            await WorkOffAsync();
            Pass(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(calls, _calls);
        Assert.Equal(MessageState.Delivered, (await Messages.GetAsync(id))!.Progress.State);
    }
}
