using System.Collections.Concurrent;
using FuncStash.Storage;

namespace FuncStash.Testing;

/// <summary>How a commit goes wrong for the one who makes it.</summary>
internal enum Fault
{
    None,

    /// <summary>Nothing is written.</summary>
    Before,

    /// <summary>The writes stand, nothing is sent: a process that died in a store that cannot do both at once.</summary>
    BetweenWritesAndSends,

    /// <summary>All is done, and nobody learns of it.</summary>
    After,
}

internal sealed class StoreFaultException : Exception;

/// <summary>Makes so many of a hundred commits fail, before or after they are done, as a seed decides.</summary>
internal sealed class RandomFaults(int seed, int percent)
{
    private readonly Random _random = new(seed);

    public Fault Next(Commit commit)
    {
        lock (_random)
            return _random.Next(100) >= percent ? Fault.None : _random.Next(2) == 0 ? Fault.Before : Fault.After;
    }
}

/// <summary>A store whose calls are counted, whose payloads are known by name, and whose commits can be made to fail.</summary>
internal sealed class WatchedStore(IStore inner) : IStore, ITables, IBodies
{
    private readonly ConcurrentDictionary<string, bool> _bodies = new(StringComparer.Ordinal);

    private int _gets;
    private int _queries;
    private int _commits;
    private int _rows;

    public Func<Commit, Fault> Faults { get; set; } = _ => Fault.None;

    /// <summary>What a commit waits for before it is done.</summary>
    public Func<Commit, Task> Ready { get; set; } = _ => Task.CompletedTask;

    /// <summary>What is waited for after a commit that stands, before anybody learns of it.</summary>
    public Func<Commit, Task> Written { get; set; } = _ => Task.CompletedTask;

    /// <summary>What a read of a row gives instead of the row: what it was before, as for a reader that was overtaken.</summary>
    public Func<string, Entity?> Stale { get; set; } = _ => null;

    /// <summary>What a read waits for before it is done, by the row's key or by the first of the keys that are asked for.</summary>
    public Func<string, Task> Reading { get; set; } = _ => Task.CompletedTask;

    public int Gets => _gets;

    public int Queries => _queries;

    /// <summary>Rows that queries gave.</summary>
    public int Rows => _rows;

    public int Commits => _commits;

    public int Calls => _gets + _queries + _commits;

    public bool IsWhole { get; set; }

    public bool IsShared { get; set; } = true;

    public ITables Tables => this;

    public IWorkQueues Queues => inner.Queues;

    public IBodies Bodies => this;

    /// <summary>The names of the payloads there are.</summary>
    public IReadOnlyCollection<string> BodyNames => [.. _bodies.Keys];

    public async ValueTask PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        await inner.Bodies.PutAsync(name, content, cancellation);
        _bodies[name] = true;
    }

    public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellation) => inner.Bodies.GetAsync(name, cancellation);

    public async ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        await inner.Bodies.DeleteAsync(name, cancellation);
        _bodies.TryRemove(name, out _);
    }

    public ValueTask<BodyPage> ListAsync(
        DateTimeOffset since, DateTimeOffset before, string? after, int take, CancellationToken cancellation) =>
        inner.Bodies.ListAsync(since, before, after, take, cancellation);

    public bool IsFault(Exception error) => error is StoreFaultException || inner.IsFault(error);

    public ValueTask PingAsync(CancellationToken cancellation = default) => inner.PingAsync(cancellation);

    public async ValueTask<Entity?> GetAsync(string table, string partitionKey, string rowKey, IReadOnlyList<string>? only, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _gets);
        await Reading(rowKey);
        return Stale(rowKey) is { } before ? before : await inner.Tables.GetAsync(table, partitionKey, rowKey, only, cancellation);
    }

    public async ValueTask<IReadOnlyList<Entity>> QueryAsync(
        string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _queries);
        await Reading(range.From);
        var rows = await inner.Tables.QueryAsync(table, partitionKey, range, take, only, cancellation);
        Interlocked.Add(ref _rows, rows.Count);
        return rows;
    }

    public async ValueTask<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _commits);
        Assert.InRange(commit.Writes.Count, 0, Commit.MaxWrites);
        await Ready(commit);
        var fault = Faults(commit);
        if (fault == Fault.Before)
            throw new StoreFaultException();
        if (fault == Fault.BetweenWritesAndSends)
            commit = commit with { Sends = [], LeaseEnd = null };
        var result = await inner.Tables.CommitAsync(commit, cancellation);
        if (result.Applied)
            await Written(commit);
        return fault == Fault.None || !result.Applied ? result : throw new StoreFaultException();
    }
}
