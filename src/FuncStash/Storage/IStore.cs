namespace FuncStash.Storage;

/// <summary>The three ports of one storage account or file.</summary>
public interface IStore
{
    ITables Tables { get; }

    IWorkQueues Queues { get; }

    IBodies Bodies { get; }

    /// <summary>Whether several partitions take more writes than one does.</summary>
    bool IsPartitioned => true;

    /// <summary>Whether other processes may use it at the same time.</summary>
    bool IsShared => true;

    /// <summary>
    /// Whether the sends of a commit and the end of its lease are done with its writes or not at all. Else whoever dies, or
    /// gets no answer, may have left some of them undone.
    /// </summary>
    bool IsWhole => false;

    /// <summary>
    /// Whether an error of a call is the storage's own: it is down, slow, full or closed, and may do the same at another time.
    /// Any other error is of what was asked.
    /// </summary>
    bool IsFault(Exception error) => false;

    /// <summary>What is wrong with the storage, in words that anybody may read: no names of accounts or files.</summary>
    string FaultText(Exception fault) => "the storage does not answer";

    /// <summary>Gives some space of what was removed back to its owner, where the storage does not do so by itself.</summary>
    /// <returns>True when there is more to give back.</returns>
    ValueTask<bool> GiveBackAsync(CancellationToken cancellation = default) => new(false);

    /// <summary>Cheap proof that the storage answers; throws when it does not.</summary>
    ValueTask PingAsync(CancellationToken cancellation = default);
}
