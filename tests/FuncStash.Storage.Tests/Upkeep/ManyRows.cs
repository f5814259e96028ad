using FuncStash.Messages;

namespace FuncStash.Storage.Tests.Upkeep;

/// <summary>Messages as rows, many at once, as publishing them would have left them.</summary>
internal static class ManyRows
{
    private const int AtOnce = 8;

    /// <summary>Ended messages, each with an event of its log: two rows a message.</summary>
    public static Task EndedAsync(IStore store, TimeProvider time, int messages) => WriteAsync(store, time, messages, (message, now) =>
    {
        var ended = new Progress { State = MessageState.Delivered, DueAt = now, EndedAt = now, Events = 2 };
        var delivered = new LogEvent(message.Id.Text, MessageState.Delivered, now, 1);
        return [MessageRows.ToRow(MessageRows.Ended, new StoredMessage(message, ended, null)), MessageRows.ToRow(delivered, MessageRows.Partition(message.Id))];
    });

    /// <summary>Live messages that nothing acts for.</summary>
    public static Task LiveAsync(IStore store, TimeProvider time, int messages, long dueAt) => WriteAsync(store, time, messages, (message, _) =>
        [MessageRows.ToRow(MessageRows.Live, new StoredMessage(message, new Progress { DueAt = dueAt }, null))]);

    private static async Task WriteAsync(IStore store, TimeProvider time, int messages, Func<Message, long, Entity[]> rows)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var ids = new MessageIds(time, MessageId.Shards);
        await Days.AddAsync(store.Tables, MessageId.DayOf(now), default);
        var commits = Enumerable.Range(0, messages)
            .Select(i => rows(new Message { Id = ids.Next(i % MessageId.Shards, now), Url = "https://example.com", NotBefore = now, Body = new byte[200] }, now))
            .SelectMany(each => each)
            .GroupBy(row => row.PartitionKey)
            .SelectMany(partition => partition.Chunk(Commit.MaxWrites).Select(chunk =>
                new Commit(MessageRows.Table, partition.Key, [.. chunk.Select(row => new Write.Insert(row))])));
        await Parallel.ForEachAsync(commits, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (commit, _) =>
            Assert.True((await store.Tables.CommitAsync(commit, default)).Applied));
    }
}
