using FuncStash.Storage;

namespace FuncStash.Functions.Tests;

/// <summary>The process is dead.</summary>
internal sealed class KilledException : Exception;

/// <summary>The storage account does not answer.</summary>
internal sealed class AwayException : Exception;

/// <summary>
/// The store as one host has it. Commits are done in parts, as Azure storage does them: the writes, then the sends. A host that
/// is killed at one of its calls makes no other.
/// </summary>
internal sealed class MortalStore(IStore inner) : IStore, ITables, IWorkQueues
{
    private volatile bool _isDead;

    /// <summary>Tells by the writes of a commit whether its host is killed once they stand.</summary>
    public Func<Commit, bool> KilledAfter { get; set; } = _ => false;

    /// <summary>The same, before they are made.</summary>
    public Func<Commit, bool> KilledBefore { get; set; } = _ => false;

    /// <summary>Whether the storage account is away.</summary>
    public bool IsAway { get; set; }

    /// <summary>Every text that was sent.</summary>
    public List<string> Sent { get; } = [];

    public bool IsDead => _isDead;

    public void Kill() => _isDead = true;

    public ITables Tables => this;

    public IWorkQueues Queues => this;

    public IBodies Bodies => inner.Bodies;

    public bool IsFault(Exception error) => error is AwayException || inner.IsFault(error);

    public ValueTask PingAsync(CancellationToken cancellation = default) => inner.PingAsync(cancellation);

    public ValueTask<Entity?> GetAsync(string table, string partitionKey, string rowKey, IReadOnlyList<string>? only, CancellationToken cancellation) =>
        Living.Tables.GetAsync(table, partitionKey, rowKey, only, cancellation);

    public ValueTask<IReadOnlyList<Entity>> QueryAsync(
        string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only, CancellationToken cancellation) =>
        Living.Tables.QueryAsync(table, partitionKey, range, take, only, cancellation);

    public async ValueTask<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
    {
        _isDead |= KilledBefore(commit);
        var result = new CommitResult(null, []);
        if (commit.Writes.Count > 0)
            result = await Living.Tables.CommitAsync(commit with { Sends = [], LeaseEnd = null }, cancellation);
        _isDead |= KilledAfter(commit);
        if (result.Applied && commit.Sends.Count > 0)
            await SendAsync(commit.Sends, cancellation);
        if (result.Applied && commit.LeaseEnd is not null)
            throw new InvalidOperationException("the host ends its leases itself");
        return _isDead ? throw new KilledException() : result;
    }

    public async ValueTask SendAsync(IReadOnlyList<Send> sends, CancellationToken cancellation)
    {
        await Living.Queues.SendAsync(sends, cancellation);
        lock (Sent)
            Sent.AddRange(sends.Select(send => send.Text));
    }

    public ValueTask<IReadOnlyList<Lease>> ReceiveAsync(string queue, int max, TimeSpan lease, TimeSpan wait, CancellationToken cancellation) =>
        Living.Queues.ReceiveAsync(queue, max, lease, wait, cancellation);

    public ValueTask<bool> RenewAsync(Lease lease, TimeSpan visibleIn, CancellationToken cancellation) =>
        Living.Queues.RenewAsync(lease, visibleIn, cancellation);

    public ValueTask<bool> DeleteAsync(Lease lease, CancellationToken cancellation) => Living.Queues.DeleteAsync(lease, cancellation);

    public ValueTask<bool> PoisonAsync(Lease lease, CancellationToken cancellation) => Living.Queues.PoisonAsync(lease, cancellation);

    public ValueTask<long> CountAsync(string queue, CancellationToken cancellation) => Living.Queues.CountAsync(queue, cancellation);

    private IStore Living => _isDead ? throw new KilledException() : IsAway ? throw new AwayException() : inner;
}
