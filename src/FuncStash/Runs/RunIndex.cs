using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Runs;

/// <summary>Tells which run goes by an id, so that no look-up scans.</summary>
/// <remarks>
/// An id is reserved for a run's key before the run is stored. Who finds a reservation without a run stores its own under
/// that key, so that one run results even when the first died in between. An id may be used again once its run has ended.
/// </remarks>
public sealed class RunIndex(ITables tables)
{
    internal const string Table = "runids";

    private const int MaxRemembered = 50_000, MaxEarlier = 20;

    private readonly ConcurrentDictionary<string, MessageId> _known = new(StringComparer.Ordinal);
    private int _remembered;

    /// <summary>The key under which a run of this id was started last; null when there is none.</summary>
    /// <param name="fresh">True to look again rather than trust what this process remembers.</param>
    public async ValueTask<MessageId?> FindAsync(string runId, bool fresh = false, CancellationToken cancellation = default)
    {
        if (!fresh && _known.TryGetValue(runId, out var known))
            return known;
        var keys = await AllAsync(runId, cancellation);
        if (keys.Count == 0)
            return null;
        Remember(runId, keys[0]);
        return keys[0];
    }

    /// <summary>The keys of all runs of this id, newest first.</summary>
    public async ValueTask<IReadOnlyList<MessageId>> AllAsync(string runId, CancellationToken cancellation = default)
    {
        var hash = HashOf(runId);
        return await tables.GetAsync(Table, Partition(hash), hash, cancellation) is { } row ? KeysOf(row) : [];
    }

    /// <summary>Reserves an id for a key, unless it is reserved already.</summary>
    /// <returns>The key that has the id: the one given, or that of an earlier run.</returns>
    public async ValueTask<MessageId> ReserveAsync(string runId, MessageId key, CancellationToken cancellation = default)
    {
        var hash = HashOf(runId);
        while (true)
        {
            if (await CommitAsync(hash, new Write.Insert(Row(hash, runId, [key])), cancellation))
                break;
            if (await tables.GetAsync(Table, Partition(hash), hash, cancellation) is { } row)
            {
                key = KeysOf(row)[0];
                break;
            }
        }
        Remember(runId, key);
        return key;
    }

    /// <summary>Gives an id whose run has ended to another one.</summary>
    /// <returns>False when another has it meanwhile.</returns>
    public async ValueTask<bool> PassOnAsync(string runId, MessageId from, MessageId to, CancellationToken cancellation = default)
    {
        var hash = HashOf(runId);
        if (await tables.GetAsync(Table, Partition(hash), hash, cancellation) is not { } row || KeysOf(row) is not [var newest, ..] keys || newest != from)
            return false;
        MessageId[] all = [to, .. keys.Take(MaxEarlier)];
        if (!await CommitAsync(hash, new Write.Replace(Row(hash, runId, all), row.ETag!), cancellation))
            return false;
        Remember(runId, to);
        return true;
    }

    /// <summary>Forgets a run that is no longer kept.</summary>
    public async ValueTask RemoveAsync(string runId, MessageId key, CancellationToken cancellation = default)
    {
        var hash = HashOf(runId);
        while (await tables.GetAsync(Table, Partition(hash), hash, cancellation) is { } row && KeysOf(row) is var keys && keys.Contains(key))
        {
            MessageId[] others = [.. keys.Where(other => other != key)];
            Write write = others.Length == 0 ? new Write.Delete(hash, row.ETag) : new Write.Replace(Row(hash, runId, others), row.ETag!);
            if (await CommitAsync(hash, write, cancellation))
                break;
        }
        if (_known.TryRemove(runId, out _))
            Interlocked.Decrement(ref _remembered);
    }

    private void Remember(string runId, MessageId key)
    {
        if (!_known.TryAdd(runId, key))
            _known[runId] = key;
        // Counted here, since the dictionary locks itself to count.
        else if (Interlocked.Increment(ref _remembered) > MaxRemembered)
        {
            _known.Clear();
            Volatile.Write(ref _remembered, 0);
        }
    }

    private async ValueTask<bool> CommitAsync(string hash, Write write, CancellationToken cancellation) =>
        (await tables.CommitAsync(new Commit(Table, Partition(hash), [write]), cancellation)).Applied;

    private static Entity Row(string hash, string runId, IReadOnlyList<MessageId> keys) => new(
        Partition(hash), hash, new Dictionary<string, object>
        {
            ["RunId"] = Encoding.UTF8.GetBytes(runId),
            ["Keys"] = string.Join(',', keys.Select(key => key.Text)),
        });

    internal static MessageId[] KeysOf(Entity row) => [.. row.Text("Keys")!.Split(',').Select(MessageId.Parse)];

    // Ids are of anybody's making, and row keys are not.
    private static string HashOf(string runId) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(runId)));

    private static string Partition(string hash) => hash[..2];

    /// <summary>One of the 256 parts that all ids lie in.</summary>
    internal static string PartitionAt(int part) => WaiterIndex.PartitionAt(part);
}
