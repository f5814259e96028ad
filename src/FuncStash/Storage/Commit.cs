namespace FuncStash.Storage;

/// <summary>
/// A step of the service as storage sees it: the writes to one partition, applied all or none; then the messages to send;
/// then the end of the lease under which the step ran.
/// </summary>
/// <remarks>
/// The order is what makes a crash harmless. A store may do all of it in one transaction (SQLite does); one that cannot
/// (Azure) goes in this order, so a lease that was not ended comes back and finds the writes done. Sends and the lease
/// are left alone when a write conflicts. No row is written twice in one commit.
/// </remarks>
public sealed record Commit(string Table, string PartitionKey, IReadOnlyList<Write> Writes)
{
    /// <summary>
    /// The most writes in one commit, and the most bytes their values may hold together: the request of an Azure Table
    /// transaction is 4 MiB at most, in which binary values are base64, a third longer.
    /// </summary>
    public const int MaxWrites = 100, MaxBytes = 2816 * 1024;

    /// <summary>Work-queue messages to send once the writes stand.</summary>
    public IReadOnlyList<Send> Sends { get; init; } = [];

    /// <summary>How the lease ends once the writes stand; null where there is no lease.</summary>
    public LeaseEnd? LeaseEnd { get; init; }
}

/// <summary>The end of a lease: deleted when <paramref name="VisibleIn"/> is null, otherwise visible again after it.</summary>
public sealed record LeaseEnd(Lease Lease, TimeSpan? VisibleIn = null)
{
    /// <summary>The end of a lease, where there is one.</summary>
    /// <param name="lease">The lease; null where there is none.</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="visibleAt">When the message is visible again, in unix milliseconds; null when it is deleted.</param>
    public static LeaseEnd? Of(Lease? lease, long now = 0, long? visibleAt = null)
    {
        if (lease is null)
            return null;
        if (visibleAt is not { } at)
            return new LeaseEnd(lease);
        var delay = TimeSpan.FromMilliseconds(Math.Max(0, at - now));
        return new LeaseEnd(lease, delay > IWorkQueues.MaxDelay ? IWorkQueues.MaxDelay : delay);
    }
}

/// <summary>What became of a commit.</summary>
/// <param name="FailedWrite">The index of the first write that conflicted; null when all were applied.</param>
/// <param name="ETags">The new version of each written row, in the order of the writes (empty text for a delete).</param>
public readonly record struct CommitResult(int? FailedWrite, IReadOnlyList<string> ETags)
{
    public bool Applied => FailedWrite is null;

    public static CommitResult Conflict(int index) => new(index, []);
}
