using System.Globalization;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>
/// The messages that have been live for a while, by when they are due: who looks for those that were lost need not go through
/// all that wait.
/// </summary>
/// <remarks>
/// Most messages end before they are <see cref="Age"/> old and are never entered. Of each partition it is known up to which row
/// its messages were; those that come to lie behind it, or are made due earlier than they were, are entered by whoever does that.
/// </remarks>
public sealed class Watchlist(IStore store, FuncStashOptions options, TimeProvider time)
{
    private const string Table = "watch", Entered = "entered", DueAt = "DueAt";

    /// <summary>How much later than now an entry may be that is overdue.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private static readonly TimeSpan s_age = TimeSpan.FromMinutes(10);

    /// <summary>The age at which a message is entered. Nothing younger is looked for.</summary>
    public TimeSpan Age { get; } = options.SweepAfter < s_age ? options.SweepAfter : s_age;

    /// <summary>Enters a message that is, or is about to be, where nobody looks for new ones: before the change that makes it due.</summary>
    /// <param name="id">The message.</param>
    /// <param name="dueAt">When it is due, in unix milliseconds.</param>
    /// <param name="cancellation">Stops the work.</param>
    internal async ValueTask EnsureAsync(MessageId id, long dueAt, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        // Half of it is for clocks that differ, and for commits that take their time. Under no time before now: it would be looked
        // at before the message is stored, and struck out.
        if (now - id.CreatedAt > (long)(Age / 2).TotalMilliseconds)
            await CommitAsync(id.Shard, [new Write.Upsert(RowOf(id, Math.Max(dueAt, now), dueAt))], cancellation);
    }

    /// <summary>Enters messages of one shard, at most <see cref="Commit.MaxWrites"/>; one that is there stays.</summary>
    internal ValueTask<bool> AddAsync(int shard, IEnumerable<(MessageId Id, long DueAt)> messages, CancellationToken cancellation) =>
        CommitAsync(shard, [.. messages.Select(each => new Write.Upsert(RowOf(each.Id, each.DueAt, each.DueAt)))], cancellation);

    /// <summary>The entries of a shard that are due before <paramref name="end"/> (unix milliseconds), the earliest first.</summary>
    internal IAsyncEnumerable<Entity> DueAsync(int shard, long end, CancellationToken cancellation) =>
        new RowPages(store.Tables, Table, PartitionOf(shard), new RowRange("", KeyOf(end)), only: []).AllAsync(cancellation);

    /// <summary>
    /// The first entries of a shard: messages that are, or were, due no earlier than the entry says. One that is overdue and still
    /// waits is among those up to <see cref="Longest"/> from now.
    /// </summary>
    internal async ValueTask<IReadOnlyList<(MessageId Id, long DueAt)>> FirstAsync(int shard, int most, CancellationToken cancellation)
    {
        var end = KeyOf((time.GetUtcNow() + Longest).ToUnixTimeMilliseconds());
        var rows = await store.Tables.QueryAsync(Table, PartitionOf(shard), new RowRange("", end), most, [DueAt], cancellation);
        return [.. rows.Select(row => (IdOf(row), row.Number(DueAt) ?? TimeOf(row)))];
    }

    /// <summary>Strikes out entries of a shard, or moves them to where they are to be looked at again.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="entries">
    /// Entries, at most half of <see cref="Commit.MaxWrites"/>, each with its new time or null, and with when its message is due, in unix milliseconds.
    /// </param>
    /// <param name="cancellation">Stops the work.</param>
    internal async ValueTask MoveAsync(int shard, IReadOnlyList<(Entity Entry, long? To, long DueAt)> entries, CancellationToken cancellation)
    {
        if (await CommitAsync(shard, WritesOf(entries), cancellation))
            return;
        // Another process has moved one of them: each on its own.
        foreach (var entry in entries)
            await CommitAsync(shard, WritesOf([entry]), cancellation);
    }

    /// <summary>The message of an entry.</summary>
    internal static MessageId IdOf(Entity entry) => MessageRows.IdOf(entry.RowKey);

    /// <summary>For each partition of messages the latest row up to which all were entered.</summary>
    internal ValueTask<IReadOnlyDictionary<string, string>> EnteredAsync(CancellationToken cancellation) =>
        EnteredAsync("", 10_000 * MessageId.Shards, cancellation); // more partitions than there ever are

    /// <summary>The same of one day.</summary>
    internal ValueTask<IReadOnlyDictionary<string, string>> EnteredAsync(int day, CancellationToken cancellation) =>
        EnteredAsync(MessageId.DayText(day), MessageId.Shards, cancellation);

    private async ValueTask<IReadOnlyDictionary<string, string>> EnteredAsync(string prefix, int most, CancellationToken cancellation)
    {
        var rows = await store.Tables.QueryAsync(Table, Entered, RowRange.Prefix(prefix), most, null, cancellation);
        return rows.ToDictionary(row => row.RowKey, row => row.Text("Row")!);
    }

    /// <summary>Notes the latest row of a partition of messages up to which all were entered.</summary>
    internal async ValueTask NoteAsync(string partition, string row, CancellationToken cancellation)
    {
        var entity = new Entity(Entered, partition, new Dictionary<string, object> { ["Row"] = row });
        await store.Tables.CommitAsync(new Commit(Table, Entered, [new Write.Upsert(entity)]), cancellation);
    }

    /// <summary>Forgets up to where the messages of a day were entered; should some come to it, they are entered from its beginning.</summary>
    internal async ValueTask ForgetAsync(int day, CancellationToken cancellation)
    {
        var rows = await store.Tables.QueryAsync(
            Table, Entered, RowRange.Prefix(MessageId.DayText(day)), MessageId.Shards, only: [], cancellation);
        if (rows.Count > 0)
            await store.Tables.CommitAsync(new Commit(Table, Entered, [.. rows.Select(row => new Write.Delete(row.RowKey, null))]), cancellation);
    }

    private async ValueTask<bool> CommitAsync(int shard, List<Write> writes, CancellationToken cancellation) =>
        writes.Count == 0 || (await store.Tables.CommitAsync(new Commit(Table, PartitionOf(shard), writes), cancellation)).Applied;

    // A message may have two entries, which come to the same.
    private static List<Write> WritesOf(IReadOnlyList<(Entity Entry, long? To, long DueAt)> entries)
    {
        var writes = entries.Select(Write (each) => new Write.Delete(each.Entry.RowKey, null)).ToList();
        writes.AddRange(entries.Where(each => each.To is not null).Select(each => RowOf(IdOf(each.Entry), each.To!.Value, each.DueAt))
            .DistinctBy(row => row.RowKey).Select(row => new Write.Upsert(row)));
        return writes;
    }

    // Under the time when it is to be looked at; when it is due is told where that is another.
    private static Entity RowOf(MessageId id, long at, long dueAt) => new(
        PartitionOf(id.Shard), $"{KeyOf(at)}|{id.Text}", at == dueAt ? new Dictionary<string, object>() : new Dictionary<string, object> { [DueAt] = dueAt });

    private static long TimeOf(Entity entry) => long.Parse(entry.RowKey.AsSpan(0, entry.RowKey.IndexOf('|')), CultureInfo.InvariantCulture);

    private static string PartitionOf(int shard) => string.Create(CultureInfo.InvariantCulture, $"due-{shard}");

    private static string KeyOf(long at) => string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp(at, 0, 9_999_999_999_999):D13}");
}
