using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Waiting;

/// <summary>Tells how far the work queue has been worked through: a message that is sent now and noted when it is received.</summary>
/// <remarks>
/// What was visible in the queue well before a probe that has come through was received too, so a message that still
/// waits for that has no work-queue message any more. While there is a backlog no probe comes through, and nothing is
/// taken for lost. Where the work queue lies in several of the storage, each has a probe, and the one that is furthest behind counts.
/// </remarks>
public sealed class QueueProbe(IStore store, TimeProvider time)
{
    /// <summary>An attempt in flight has been written down as ACTIVE after a second, which changes its row.</summary>
    internal static readonly TimeSpan Settle = WorkItem.Recover.After;

    private const string Table = "upkeep", Partition = "probe", Row = "through";

    /// <summary>Sends a probe to each queue; none while something is left where nobody receives it, which a probe would pass by.</summary>
    public async ValueTask SendAsync(CancellationToken cancellation = default)
    {
        var probe = new WorkItem.Probe(Now);
        if (await store.Queues.GatherAsync(WorkItem.Queue, cancellation))
            await store.Queues.SendToEachAsync(WorkItem.Queue, probe.Text, cancellation);
    }

    /// <summary>When the latest probe that came through every queue was sent, in unix milliseconds; null when none did yet.</summary>
    public ValueTask<long?> ThroughAsync(CancellationToken cancellation = default) =>
        LeastAsync(row => row.Number("SentAt"), cancellation);

    /// <summary>The same of the probes that came through a while ago: what was received before them has left its mark since.</summary>
    public ValueTask<long?> SettledAsync(CancellationToken cancellation = default) => LeastAsync(Settled, cancellation);

    /// <summary>Notes that a probe came through; an earlier one than the latest changes nothing.</summary>
    /// <param name="queue">The queue that it came through, one of <see cref="IWorkQueues.NamesOf"/>.</param>
    /// <param name="sentAt">When it was sent, in unix milliseconds.</param>
    /// <param name="cancellation">Ends the call.</param>
    public async ValueTask NoteAsync(string queue, long sentAt, CancellationToken cancellation = default)
    {
        var before = await store.Tables.GetAsync(Table, Partition, RowOf(queue), cancellation);
        // One from the future was sent by a clock that has been set back since: it is no measure of anything.
        if (before?.Number("SentAt") > Now + Clocks.SkewMs)
            before = null;
        if (before?.Number("SentAt") >= sentAt)
            return;
        var values = new Dictionary<string, object> { ["SentAt"] = sentAt, ["NotedAt"] = Now };
        if (before is not null)
            Keep(before, values);
        var row = new Entity(Partition, RowOf(queue), values);
        await store.Tables.CommitAsync(new Commit(Table, Partition, [new Write.Upsert(row)]), cancellation);
    }

    // One row a queue: what two of them note at once does not collide.
    private static string RowOf(string queue) => queue == WorkItem.Queue ? Row : $"{Row}|{queue}";

    // Null as long as it is not known of each.
    private async ValueTask<long?> LeastAsync(Func<Entity, long?> of, CancellationToken cancellation)
    {
        var rows = await store.Tables.QueryAsync(Table, Partition, RowRange.Prefix(Row), QueueSpread.Most, null, cancellation);
        var least = long.MaxValue;
        foreach (var queue in store.Queues.NamesOf(WorkItem.Queue))
        {
            if (rows.FirstOrDefault(row => row.RowKey == RowOf(queue)) is not { } row || Past(of(row)) is not { } sentAt)
                return null;
            least = Math.Min(least, sentAt);
        }
        return least;
    }

    private long? Past(long? sentAt) => sentAt > Now + Clocks.SkewMs ? null : sentAt;

    // What is settled, and the one that is to be so next: were it the latest alone, probes that come all the time would keep each other
    // from it.
    private void Keep(Entity before, Dictionary<string, object> values)
    {
        if (Settled(before) is { } settled)
            values["SettledAt"] = settled;
        var next = before.Number("NextNotedAt") is { } notedAt && !IsOld(notedAt) && notedAt <= Now + Clocks.SkewMs ? "Next" : "";
        values["NextSentAt"] = before.Number(next + "SentAt") ?? 0;
        values["NextNotedAt"] = before.Number(next + "NotedAt") ?? 0;
    }

    private long? Settled(Entity row) => row.Number(
        IsOld(row.Number("NotedAt")) ? "SentAt" : row.Number("NextNotedAt") is { } next && IsOld(next) ? "NextSentAt" : "SettledAt");

    private bool IsOld(long? notedAt) => Now - (notedAt ?? 0) >= (long)Settle.TotalMilliseconds;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
