using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>Refuses what Azure would refuse, before anything is sent.</summary>
internal static class CommitLimits
{
    /// <exception cref="ArgumentException">Too many writes or bytes, another partition, or what cannot be a key.</exception>
    public static void Check(Commit commit)
    {
        if (commit.Writes.Count > Commit.MaxWrites)
            throw new ArgumentException($"{commit.Writes.Count} writes in one commit; {Commit.MaxWrites} are the most.");
        EntityKeys.Checked(commit.PartitionKey);
        long bytes = 0;
        foreach (var write in commit.Writes)
        {
            EntityKeys.Checked(write.RowKey);
            bytes += Size(commit, write);
        }
        if (bytes > Commit.MaxBytes)
            throw new ArgumentException($"{bytes} bytes in one commit; {Commit.MaxBytes} are the most.");
    }

    private static long Size(Commit commit, Write write)
    {
        var entity = write switch
        {
            Write.Insert insert => insert.Entity,
            Write.Upsert upsert => upsert.Entity,
            Write.Replace replace => replace.Entity,
            _ => null,
        };
        if (entity is null)
            return 0;
        if (entity.PartitionKey != commit.PartitionKey)
            throw new ArgumentException($"A commit writes to one partition: '{commit.PartitionKey}', not '{entity.PartitionKey}'.");
        foreach (var (name, value) in entity.Values)
        {
            if (value is string { Length: > Entity.MaxText } text)
                throw new ArgumentException($"'{name}' holds {text.Length} characters; at most {Entity.MaxText} are allowed.");
        }
        var size = entity.Size;
        return size <= Entity.MaxBytes ? size : throw new ArgumentException(
            $"The row {entity.RowKey} holds {size} bytes; {Entity.MaxBytes} are the most.");
    }
}
