using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Waiting;

/// <summary>Tells how far the work queue has been worked through: a message that is sent now and noted when it is received.</summary>
/// <remarks>
/// What was visible in the queue well before a probe that has come through was received too, so a message that still
/// waits for that has no work-queue message any more. While there is a backlog no probe comes through, and nothing is
/// taken for lost.
/// </remarks>
public sealed class QueueProbe(IStore store, TimeProvider time)
{
    /// <summary>An attempt in flight has been written down as ACTIVE after a second, which changes its row.</summary>
    internal static readonly TimeSpan Settle = WorkItem.Recover.After;

    private const string Table = "upkeep", Partition = "probe", Row = "through";

    /// <summary>Sends a probe.</summary>
    public ValueTask SendAsync(CancellationToken cancellation = default) =>
        store.Queues.SendAsync([new WorkItem.Probe(Now).ToSend()], cancellation);

    /// <summary>When the latest probe that came through was sent, in unix milliseconds; null when none did yet.</summary>
    public async ValueTask<long?> ThroughAsync(CancellationToken cancellation = default) =>
        Past((await ReadAsync(cancellation))?.Number("SentAt"));

    /// <summary>The same of the probes that came through a while ago: what was received before them has left its mark since.</summary>
    public async ValueTask<long?> SettledAsync(CancellationToken cancellation = default) =>
        await ReadAsync(cancellation) is { } row ? Past(Settled(row)) : null;

    /// <summary>Notes that a probe came through; an earlier one than the latest changes nothing.</summary>
    public async ValueTask NoteAsync(long sentAt, CancellationToken cancellation = default)
    {
        var before = await ReadAsync(cancellation);
        // One from the future was sent by a clock that has been set back since: it is no measure of anything.
        if (before?.Number("SentAt") > Now + Clocks.SkewMs)
            before = null;
        if (before?.Number("SentAt") >= sentAt)
            return;
        var values = new Dictionary<string, object> { ["SentAt"] = sentAt, ["NotedAt"] = Now };
        if (before is not null && Settled(before) is { } settled)
            values["SettledAt"] = settled;
        var row = new Entity(Partition, Row, values);
        await store.Tables.CommitAsync(new Commit(Table, Partition, [new Write.Upsert(row)]), cancellation);
    }

    private ValueTask<Entity?> ReadAsync(CancellationToken cancellation) =>
        store.Tables.GetAsync(Table, Partition, Row, cancellation);

    private long? Past(long? sentAt) => sentAt > Now + Clocks.SkewMs ? null : sentAt;

    private long? Settled(Entity row) =>
        row.Number(Now - (row.Number("NotedAt") ?? 0) >= (long)Settle.TotalMilliseconds ? "SentAt" : "SettledAt");

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
