using System.Collections.Concurrent;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Runs;

/// <summary>What runs of this process were started with, so that a row read again need not be parsed again.</summary>
internal sealed class RecentSpecs
{
    private const int Max = 4096;

    private readonly ConcurrentDictionary<MessageId, (byte[] Bytes, RunSpec Spec)> _specs = new();

    /// <summary>The spec of a row, where it is the one that was remembered.</summary>
    public RunSpec? Find(Entity row) =>
        _specs.TryGetValue(MessageRows.IdOf(row.RowKey), out var known) && row.Bytes("Spec").AsSpan().SequenceEqual(known.Bytes)
            ? known.Spec
            : null;

    public void Add(Run run)
    {
        if (run.Ended)
        {
            _specs.TryRemove(run.Key, out _);
            return;
        }
        if (_specs.TryGetValue(run.Key, out var known) && ReferenceEquals(known.Spec, run.Spec))
            return;
        // Only for a new one: counting locks the whole dictionary.
        if (_specs.Count >= Max)
            _specs.Clear();
        _specs[run.Key] = (run.SpecBytes!, run.Spec);
    }
}
