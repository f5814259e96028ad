using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;
using FuncStash.Waiting;

namespace FuncStash.Tests.Waiting;

/// <summary>
/// A service whose storing of steps fails or takes long, on a host that holds the messages of its work queue itself and lets what
/// waits do so in buckets.
/// </summary>
public abstract class BucketSteps : IAsyncLifetime
{
    private static readonly TimeSpan s_lease = TimeSpan.FromMinutes(20);

    private readonly List<string> _calls = [];
    private int _unanswered;
    private StandIn _destination = null!;

    protected BucketSteps()
    {
        WatchedStore? watched = null;
        Service = new Service(inner => new PartwiseStore(watched = new WatchedStore(inner)), hasBuckets: true);
        Watched = watched!;
    }

    private protected Service Service { get; }

    private protected WatchedStore Watched { get; }

    /// <summary>The paths that the destination was called at, in order. It answers the first call of <c>/fails</c> with 500.</summary>
    protected IReadOnlyList<string> Calls => _calls;

    /// <summary>What the calls that come from here on wait for before they are answered.</summary>
    protected TaskCompletionSource Answer { get; set; } = new();

    private protected MessageStore Messages => Service.Get<MessageStore>();

    public async ValueTask InitializeAsync() => _destination = await StandIn.StartAsync(async context =>
    {
        var answer = Answer.Task;
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
        await Service.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected string UrlOf(string path) => _destination.Url + path;

    private protected async Task<MessageId> PublishAsync(string path, params (string Name, string Value)[] headers) =>
        (await Service.Get<Publisher>().PublishAsync(Service.Request(UrlOf(path), "x", headers))).Messages[0].Id;

    private protected async Task<bool> RestartAsync(MessageId id) => await Messages.RestartAsync((await Messages.GetAsync(id))!);

    private protected static bool IsOfMessages(Commit commit) => commit.Table == MessageRows.Table;

    // Not the mark of an attempt that takes long.
    private protected static bool IsOutcome(Commit commit) => IsOfMessages(commit)
        && !commit.Writes.OfType<Write.Replace>().Any(write => write.Entity.Text("State") == MessageState.Active.Wire());

    private protected void FailOnce(Fault fault, Func<Commit, bool> which, Action? then = null) => Watched.Faults = commit =>
    {
        if (!which(commit))
            return Fault.None;
        Watched.Faults = _ => Fault.None;
        then?.Invoke();
        return fault;
    };

    private protected void Pass(TimeSpan time) => Service.Time.Advance(time);

    private protected Task<IReadOnlyList<Lease>> ReceiveAsync() => Service.Store.Queues.ReceiveAsync(WorkItem.Queue, 32, s_lease, TimeSpan.Zero).AsTask();

    // All at once, each by a process of its own, whose host holds its message; nothing is answered before all have gone as far as they can.
    private protected async Task RunAsync(IReadOnlyList<Lease> leases)
    {
        Answer = new TaskCompletionSource();
        var runs = new List<Task>();
        foreach (var lease in leases)
        {
            runs.Add(RunAsync(lease));
            await Service.PassTimeAsync(
                UntilAsync(() => Task.FromResult(runs.Count(run => !run.IsCompleted) <= Volatile.Read(ref _unanswered))), TimeSpan.FromMilliseconds(1));
        }
        Answer.SetResult();
        await Service.PassTimeAsync(Task.WhenAll(runs), TimeSpan.FromMilliseconds(10));
    }

    private protected static async Task UntilAsync(Func<Task<bool>> holds)
    {
        while (!await holds())
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
    }

    private protected async Task RunAsync(Lease lease)
    {
        using var worker = Service.New<DeliveryService>(new Presence(Service.Store.Tables, Service.Time));
        Assert.NotNull(await worker.RunAsync(lease.Text, new HostLease(lease.Text)));
        await Service.Store.Queues.DeleteAsync(lease);
    }

    private protected async Task WorkOffAsync()
    {
        while (await ReceiveAsync() is { Count: > 0 } leases)
            await RunAsync(leases);
    }

    private protected async Task AssertEndsAsync(MessageId id, params string[] calls)
    {
        for (var minute = 0; minute < 15; minute++)
        {
            await Service.PassTimeAsync(Service.Get<BucketWatch>().RunAsync(), TimeSpan.FromSeconds(1));
            await WorkOffAsync();
            Pass(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(calls, _calls);
        Assert.Equal(MessageState.Delivered, (await Messages.GetAsync(id))!.Progress.State);
    }
}
