using System.Collections.Concurrent;
using System.Text;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Waiting;

/// <summary>The messages that this process has in hand, and its sign of life, by which others know that somebody has them.</summary>
/// <remarks>
/// Only where it is <paramref name="isShown"/>: on a host whose leases a dead process holds for too long. The sign is a row that
/// is written every <see cref="Period"/> and names what is in hand; one with nothing to do for a while takes it away, so that an
/// idle process writes nothing. Before a process acts it has a row.
/// </remarks>
public sealed class Presence(ITables tables, TimeProvider time, bool isShown = false) : IDisposable
{
    private const string Table = "beats", Partition = "alive";

    /// <summary>How often the sign is given.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    // Older than this it does not tell others enough, and is renewed before anything else is done: the process was stopped for a while.
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(25), s_rest = TimeSpan.FromMinutes(1);

    // A retry that is due at once can come before the step that caused it has left; longer than that, an attempt is under way.
    private static readonly TimeSpan s_soon = TimeSpan.FromMilliseconds(200);

    // Each with whom to tell when it is left; null while nobody waits for that.
    private readonly ConcurrentDictionary<MessageId, TaskCompletionSource?> _inHand = new();
    private readonly SemaphoreSlim _writing = new(1);
    private long _shownAt, _busyAt; // timestamps; 0 for never

    /// <summary>The process's name, another one each time it starts; null where it gives no sign.</summary>
    public string? Name { get; } = isShown ? Guid.NewGuid().ToString("N") : null;

    /// <summary>Takes a message in hand; false when it is already.</summary>
    internal bool TryTake(MessageId id) => _inHand.TryAdd(id, null);

    /// <summary>Takes a message in hand, as soon as whoever has it leaves it; false when that is not soon.</summary>
    internal async ValueTask<bool> TakeSoonAsync(MessageId id)
    {
        while (!TryTake(id))
        {
            if (!_inHand.TryGetValue(id, out var left))
                continue;
            if (left is null)
            {
                left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (!_inHand.TryUpdate(id, left, null))
                    continue;
            }
            await left.Task.WaitAsync(s_soon, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!left.Task.IsCompleted)
                return false;
        }
        return true;
    }

    internal void Leave(MessageId id)
    {
        if (_inHand.TryRemove(id, out var left))
            left?.SetResult();
    }

    internal bool Has(MessageId id) => _inHand.ContainsKey(id);

    /// <summary>Sees to it that others know of this process before it acts for a message that it has taken.</summary>
    internal ValueTask ShowAsync(CancellationToken cancellation)
    {
        if (Name is null)
            return ValueTask.CompletedTask;
        Volatile.Write(ref _busyAt, time.GetTimestamp());
        Interlocked.MemoryBarrier();
        return IsFresh ? ValueTask.CompletedTask : WriteAsync(always: false, cancellation);
    }

    /// <summary>Gives the sign, or takes it away when nothing was done for a while.</summary>
    public ValueTask BeatAsync(CancellationToken cancellation = default) =>
        Name is null ? ValueTask.CompletedTask : WriteAsync(always: true, cancellation);

    /// <summary>Takes the sign away, unless something is still in hand: then others see to it.</summary>
    public async ValueTask EndAsync(CancellationToken cancellation = default)
    {
        if (Name is not null && _inHand.IsEmpty)
            await RemoveAsync(Name, null, cancellation);
    }

    /// <summary>The signs of all processes.</summary>
    internal async ValueTask<IReadOnlyList<Beat>> ListAsync(CancellationToken cancellation)
    {
        var rows = await tables.QueryAsync(Table, Partition, RowRange.Prefix(""), 10_000, null, cancellation);
        return [.. rows.Select(row => new Beat(row.RowKey, row.ETag!, IdsOf(row)))];
    }

    /// <summary>Takes over what a silent process had in hand; null when it has given a sign meanwhile, or another was first.</summary>
    internal async ValueTask<Beat?> TakeOverAsync(Beat silent, CancellationToken cancellation)
    {
        Write write = new Write.Replace(Row(silent.Name, silent.InHand), silent.ETag);
        var result = await tables.CommitAsync(new Commit(Table, Partition, [write]), cancellation);
        return result.Applied ? silent with { ETag = result.ETags[0] } : null;
    }

    /// <summary>Forgets a process, unless it has given a sign meanwhile.</summary>
    internal ValueTask RemoveAsync(Beat beat, CancellationToken cancellation) => RemoveAsync(beat.Name, beat.ETag, cancellation);

    public void Dispose() => _writing.Dispose();

    private async ValueTask RemoveAsync(string name, string? version, CancellationToken cancellation) =>
        await tables.CommitAsync(new Commit(Table, Partition, [new Write.Delete(name, version)]), cancellation);

    private bool IsFresh => Volatile.Read(ref _shownAt) is not 0 and var at && time.GetElapsedTime(at) < s_fresh;

    private bool IsIdle => _inHand.IsEmpty && (Volatile.Read(ref _busyAt) is var at && (at == 0 || time.GetElapsedTime(at) > s_rest));

    private async ValueTask WriteAsync(bool always, CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation);
        try
        {
            if (!always && IsFresh)
                return;
            var (shownAt, now) = (Volatile.Read(ref _shownAt), time.GetTimestamp());
            if (IsIdle)
            {
                // First, so that whoever takes a message from here on waits for a new sign; or is seen by the next look.
                Interlocked.Exchange(ref _shownAt, 0);
                if (IsIdle)
                {
                    if (shownAt != 0)
                        await RemoveAsync(Name!, null, cancellation);
                    return;
                }
            }
            Write write = new Write.Upsert(Row(Name!, [.. _inHand.Keys]));
            await tables.CommitAsync(new Commit(Table, Partition, [write]), cancellation);
            Interlocked.Exchange(ref _shownAt, now);
        }
        finally
        {
            _writing.Release();
        }
    }

    // In bytes, of which a value holds 64 KiB: some two thousand ids, twice what a host gives at once.
    private Entity Row(string name, IEnumerable<MessageId> inHand) => new(Partition, name, new Dictionary<string, object>
    {
        ["At"] = time.GetUtcNow().ToUnixTimeMilliseconds(),
        ["InHand"] = Encoding.ASCII.GetBytes(string.Join(' ', inHand.Select(id => id.Text))),
    });

    private static HashSet<MessageId> IdsOf(Entity row) =>
        [.. Encoding.ASCII.GetString(row.Bytes("InHand") ?? []).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(MessageId.Parse)];
}

/// <summary>The sign of life of a process: its name, the version of its row, and what it had in hand.</summary>
internal sealed record Beat(string Name, string ETag, IReadOnlySet<MessageId> InHand);
