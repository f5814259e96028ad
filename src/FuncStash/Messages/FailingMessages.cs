using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>How often in a row a message could not be handled.</summary>
/// <param name="Times">How often, this time included.</param>
/// <param name="Ended">True when the message has ended all the same.</param>
public sealed record FailureCount(int Times, bool Ended);

/// <summary>Keeps account of messages that cannot be handled, of which perhaps not even the row can be read.</summary>
/// <remarks>
/// A row is counted and moved without being understood. Nobody looks for one that was set aside; a purge removes it after
/// the retention of dead letters.
/// </remarks>
public sealed class FailingMessages(IStore store, TimeProvider time)
{
    private const string Column = "Failures";

    /// <summary>When a row was set aside, in unix milliseconds.</summary>
    internal const string SetAsideAt = "SetAsideAt";

    /// <summary>Counts one more failure of a message; null when there is no such message.</summary>
    public async ValueTask<FailureCount?> CountAsync(MessageId id, CancellationToken cancellation = default)
    {
        while (await FindAsync(id, MessageRows.Live, cancellation) is { } live)
        {
            if (await CountAsync(live, cancellation) is { } times)
                return new FailureCount(times, Ended: false);
        }
        while (await FindAsync(id, MessageRows.Ended, cancellation) is { } ended)
        {
            if (await CountAsync(ended, cancellation) is { } times)
                return new FailureCount(times, Ended: true);
        }
        return null;
    }

    /// <summary>Sets a live message's row aside, so that nothing comes upon it any more. False when there is none.</summary>
    public async ValueTask<bool> SetAsideAsync(MessageId id, CancellationToken cancellation = default)
    {
        while (await FindAsync(id, MessageRows.Live, cancellation) is { } row)
        {
            var aside = row with
            {
                RowKey = MessageRows.Key(MessageRows.Aside, id),
                Values = new Dictionary<string, object>(row.Values) { [SetAsideAt] = time.GetUtcNow().ToUnixTimeMilliseconds() },
            };
            Write[] writes = [new Write.Delete(row.RowKey, row.ETag), new Write.Upsert(aside)];
            if ((await store.Tables.CommitAsync(new Commit(MessageRows.Table, row.PartitionKey, writes), cancellation)).Applied)
                return true;
        }
        return false;
    }

    private ValueTask<Entity?> FindAsync(MessageId id, string kind, CancellationToken cancellation) =>
        store.Tables.GetAsync(MessageRows.Table, MessageRows.Partition(id), MessageRows.Key(kind, id), cancellation);

    private async ValueTask<int?> CountAsync(Entity row, CancellationToken cancellation)
    {
        var times = (int)(row.Number(Column) ?? 0) + 1;
        var counted = row with { Values = new Dictionary<string, object>(row.Values) { [Column] = (long)times } };
        var write = new Write.Replace(counted, row.ETag!);
        var result = await store.Tables.CommitAsync(new Commit(MessageRows.Table, row.PartitionKey, [write]), cancellation);
        return result.Applied ? times : null;
    }
}
