using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Runs;

/// <summary>
/// Runs of this process as they were read or written last, so that a row of the same version need not be parsed again, nor
/// the entries be read again where they are few. Which version holds, the row says.
/// </summary>
/// <remarks>
/// The entries of one version are always the same ones, but for <see cref="StepKind.CallResult"/>: an entry with a place in
/// the history comes with a new version of the run.
/// </remarks>
internal sealed class RecentRuns
{
    // Of a longer history the entries are read each time: it is the other runs' room.
    private const int MaxSteps = 100, MaxStepBytes = 32 * 1024;

    // What each of two generations may hold, in runs and bytes.
    private const int MaxRuns = 4096, MaxBytes = 4 * 1024 * 1024;

    // What a run, and an entry, takes in memory besides its texts.
    private const int RunBytes = 500, StepBytes = 300;

    private readonly Lock _gate = new();
    private Dictionary<MessageId, Known> _young = [], _old = [];
    private int _bytes;

    private sealed record Known(Run Run, IReadOnlyList<RunStep>? Steps, int Bytes);

    /// <summary>The run of a row, if it was remembered at this version.</summary>
    public Run? Find(MessageId key, Entity row) =>
        Find(key) is { } known && known.Run.ETag == row.ETag ? known.Run : null;

    /// <summary>The spec of a row, where it is the one that was remembered.</summary>
    public RunSpec? SpecOf(MessageId key, byte[] bytes) =>
        Find(key) is { } known && bytes.AsSpan().SequenceEqual(known.Run.SpecBytes) ? known.Run.Spec : null;

    /// <summary>The entries of a run at its version; null when they were not remembered.</summary>
    public IReadOnlyList<RunStep>? StepsOf(Run run) =>
        Find(run.Key) is { } known && known.Run.ETag == run.ETag ? known.Steps : null;

    /// <summary>Remembers a run that is under way; of one that has ended nothing is asked again.</summary>
    /// <param name="run">The run, at the version of its row.</param>
    /// <param name="steps">Its entries; null when they are not known.</param>
    public void Add(Run run, IReadOnlyList<RunStep>? steps = null)
    {
        if (run.ETag is null)
            return;
        if (run.Ended || run.SpecBytes is not { } spec)
        {
            Remove(run.Key);
            return;
        }
        var bytes = RunBytes + spec.Length;
        if (steps is not null && BytesOf(steps) is { } more)
            bytes += more;
        else
            steps = null;
        Put(run.Key, new Known(run, steps, bytes));
    }

    private void Put(MessageId key, Known known)
    {
        lock (_gate)
        {
            if (_young.TryGetValue(key, out var before))
                _bytes -= before.Bytes;
            _young[key] = known;
            _bytes += known.Bytes;
            if (_bytes <= MaxBytes && _young.Count <= MaxRuns)
                return;
            (_old, _young, _bytes) = (_young, [], 0);
        }
    }

    private Known? Find(MessageId key)
    {
        lock (_gate)
            return _young.TryGetValue(key, out var known) || _old.TryGetValue(key, out known) ? known : null;
    }

    private void Remove(MessageId key)
    {
        lock (_gate)
        {
            if (_young.Remove(key, out var known))
                _bytes -= known.Bytes;
            _old.Remove(key);
        }
    }

    // Null for too many.
    private static int? BytesOf(IReadOnlyList<RunStep> steps)
    {
        if (steps.Count > MaxSteps)
            return null;
        var bytes = 0;
        foreach (var step in steps)
            bytes += StepBytes + step.Body.Length;
        return bytes <= MaxStepBytes ? bytes : null;
    }
}
