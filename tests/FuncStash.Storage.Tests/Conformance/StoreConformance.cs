using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Storage.Tests.Conformance;

/// <summary>
/// What every store must do, told through the ports alone. A store plugs in by deriving from each of the conformance
/// classes and giving <see cref="OpenAsync"/>, as <c>Sqlite/SqliteConformance.cs</c> does.
/// </summary>
/// <remarks>
/// Tests name their own tables, queues and bodies, so a store may be shared by all of them and may hold old data.
/// A store on an injected clock gives it as <see cref="Clock"/>, and waits take no time; on a real clock they do.
/// </remarks>
public abstract class StoreConformance : IAsyncLifetime
{
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(500);

    private IStore? _store;

    protected IStore Store => _store ?? throw new InvalidOperationException("not open yet");

    protected ITables Tables => Store.Tables;

    protected IWorkQueues Queues => Store.Queues;

    protected IBodies Bodies => Store.Bodies;

    /// <summary>A table of this test alone; the name obeys Azure Table (letters and digits).</summary>
    protected string Table { get; } = $"t{Guid.NewGuid():N}";

    /// <summary>A queue of this test alone.</summary>
    protected string Queue { get; } = $"q-{Guid.NewGuid():N}";

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Opens the store under test.</summary>
    protected abstract ValueTask<IStore> OpenAsync();

    /// <summary>Lets go of the store; one that is shared by all tests stays open.</summary>
    protected virtual ValueTask CloseAsync(IStore opened) => (opened as IAsyncDisposable)?.DisposeAsync() ?? default;

    /// <summary>The clock the store was given; null when it runs on real time.</summary>
    protected virtual FakeTimeProvider? Clock => null;

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await CloseAsync(_store);
        GC.SuppressFinalize(this);
    }

    /// <summary>Receives, and lets up to <paramref name="within"/> pass until something is there.</summary>
    protected async Task<IReadOnlyList<Lease>> ReceiveAsync(
        TimeSpan within = default, int max = 10, TimeSpan? lease = null, string? queue = null)
    {
        var received = Queues.ReceiveAsync(queue ?? Queue, max, lease ?? TimeSpan.FromMinutes(5), within, Cancelled).AsTask();
        for (var passed = TimeSpan.Zero; Clock is not null && passed < within && !received.IsCompleted; passed += s_step)
            Clock.Advance(s_step);
        return await received;
    }

    protected async Task<Lease> ReceiveOneAsync(TimeSpan? within = null, TimeSpan? lease = null, string? queue = null) =>
        Assert.Single(await ReceiveAsync(within ?? TimeSpan.FromSeconds(20), 1, lease, queue));

    protected async Task<CommitResult> CommitAsync(string partition, params Write[] writes) =>
        await Tables.CommitAsync(new Commit(Table, partition, writes), Cancelled);

    protected async Task<Entity?> GetAsync(string partition, string row) =>
        await Tables.GetAsync(Table, partition, row, Cancelled);

    protected static Entity Row(string partition, string row, params (string Name, object Value)[] values) =>
        new(partition, row, values.ToDictionary(v => v.Name, v => v.Value));

    protected static Write.Insert Insert(string partition, string row, long n = 0) => new(Row(partition, row, ("N", n)));
}
