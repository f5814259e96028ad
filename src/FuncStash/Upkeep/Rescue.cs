using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Telemetry;
using FuncStash.Waiting;
using Microsoft.Extensions.Logging;

namespace FuncStash.Upkeep;

/// <summary>Sends on their way again the messages that a process had in hand when it died: its host would hold them for ten minutes.</summary>
/// <remarks>
/// A process is taken for dead when its sign of life (<see cref="Presence"/>) has not changed for <see cref="Silence"/>, by the
/// clock of whoever looks. What it had in hand is then what is marked as its attempt, and what should have been acted for by now
/// although nobody alive has it in hand: the work queue has been worked through since, and every other process has said what it
/// has. That of a process which is only slow is left to it.
/// </remarks>
public sealed partial class Rescue(
    IStore store, Presence presence, MessageStore messages, AdmissionService admission, QueueProbe probe, RunSweep runs,
    TimeProvider time, ILogger<Rescue> log)
{
    private const int AtOnce = 8;

    private static readonly string[] s_values = ["State", "DueAt", "Ticket", "ActiveSince", "ActiveBy"];

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1), s_look = TimeSpan.FromSeconds(15), s_alone = TimeSpan.FromSeconds(30);

    // Since when a sign has been as it is, as a timestamp.
    private readonly Dictionary<string, (string ETag, long Since)> _seen = [];

    /// <summary>How long a process may give no sign.</summary>
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>How long it is waited for the work queue to be worked through, and for the others to say what they have.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(40);

    /// <summary>After how long to look again: more seldom where nobody is, which a process is not while it has something to do.</summary>
    public TimeSpan Pause => _seen.Count == 0 ? s_alone : s_look;

    /// <summary>Looks after the processes; to be called after each <see cref="Pause"/>, once at a time.</summary>
    /// <returns>How many messages were sent on their way again; null when nobody was silent, or it cannot be told yet what nobody has.</returns>
    public async Task<int?> RunAsync(CancellationToken stop = default)
    {
        var taken = new List<Beat>();
        foreach (var silent in Note(await presence.ListAsync(stop)))
        {
            if (await presence.TakeOverAsync(silent, stop) is not { } beat)
                continue;
            LogSilent(log, beat.Name);
            taken.Add(beat);
        }
        if (taken.Count == 0)
            return null;
        // Else it is done again when they have been silent for as long once more.
        if (await RescueAsync(taken, stop) is not { } rescued)
            return null;
        // What it was settling of workflow runs is not among its messages, and is harmed by nobody who does it too.
        await runs.RunAsync(firstDay: 0, stop);
        foreach (var beat in taken)
            await presence.RemoveAsync(beat, stop);
        return rescued;
    }

    // Those that have been silent for too long.
    private List<Beat> Note(IReadOnlyList<Beat> beats)
    {
        foreach (var gone in _seen.Keys.Except(beats.Select(beat => beat.Name)).ToList())
            _seen.Remove(gone);
        var silent = new List<Beat>();
        foreach (var beat in beats)
        {
            if (!_seen.TryGetValue(beat.Name, out var seen) || seen.ETag != beat.ETag)
                _seen[beat.Name] = (beat.ETag, time.GetTimestamp());
            else if (beat.Name != presence.Name && time.GetElapsedTime(seen.Since) >= Silence)
                silent.Add(beat);
        }
        return silent;
    }

    // Null when it cannot be told yet what nobody has in hand.
    private async Task<int?> RescueAsync(List<Beat> taken, CancellationToken stop)
    {
        var (since, dead) = (Now, taken.Select(beat => beat.Name).ToHashSet());
        await probe.SendAsync(stop);
        if (!await ComesAsync(async () => await probe.SettledAsync(stop) >= since, stop))
            return null;
        var found = await FindAsync(dead, since, stop);
        if (found.Count == 0)
            return 0;
        var inHand = new HashSet<MessageId>();
        var before = await OthersAsync(taken, stop);
        if (!await ComesAsync(async () => HaveSaid(before, await OthersAsync(taken, stop), inHand), stop))
            return null;
        var rescued = 0;
        await Parallel.ForEachAsync(
            found.Where(each => !inHand.Contains(each.Id) && !presence.Has(each.Id)),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop },
            async (each, cancellation) =>
            {
                if (await messages.GetAsync(each.Id, cancellation) is not { } stored || stored.ETag != each.ETag
                    || !await messages.RestartAsync(stored, Now, cancellation))
                    return;
                Interlocked.Increment(ref rescued);
                Metrics.Recovered();
            });
        LogRescued(log, rescued);
        return rescued;
    }

    // Whether each process has told since then what it has in hand; those without a row have nothing.
    private static bool HaveSaid(IReadOnlyList<Beat> before, IReadOnlyList<Beat> now, HashSet<MessageId> inHand)
    {
        foreach (var beat in now)
            inHand.UnionWith(beat.InHand);
        return before.All(old => now.FirstOrDefault(beat => beat.Name == old.Name)?.ETag != old.ETag);
    }

    // All that live; one that was taken for dead and has given a sign since is among them.
    private async Task<IReadOnlyList<Beat>> OthersAsync(List<Beat> taken, CancellationToken stop) =>
        [.. (await presence.ListAsync(stop)).Where(beat => beat.Name != presence.Name && !taken.Exists(dead => dead.ETag == beat.ETag))];

    private async Task<List<(MessageId Id, string ETag)>> FindAsync(IReadOnlySet<string> dead, long since, CancellationToken stop)
    {
        var found = new List<(MessageId Id, string ETag)>();
        foreach (var day in await Days.ListAsync(store.Tables, stop))
        {
            await Parallel.ForEachAsync(
                Enumerable.Range(0, MessageId.Shards),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop },
                async (shard, cancellation) =>
                {
                    var pages = new RowPages(
                        store.Tables, MessageRows.Table, MessageRows.Partition(day, shard), RowRange.Prefix(MessageRows.Live), s_values,
                        PageSize.MostOfFew);
                    await foreach (var row in pages.AllAsync(cancellation))
                    {
                        if (!await IsLeftAsync(row, dead, since, cancellation))
                            continue;
                        lock (found)
                            found.Add((MessageRows.IdOf(row.RowKey), row.ETag!));
                    }
                });
        }
        return found;
    }

    private async ValueTask<bool> IsLeftAsync(Entity row, IReadOnlySet<string> dead, long since, CancellationToken stop)
    {
        try
        {
            var progress = MessageRows.ProgressFromRow(row);
            if (progress.State == MessageState.Active)
                return progress.ActiveBy is { } by && dead.Contains(by);
            // Due before it fell silent, which was its next sign after the last one at the latest.
            return progress.DueAt <= since - (long)(Silence / 2).TotalMilliseconds
                && await messages.LookAsync(MessageRows.IdOf(row.RowKey), stop) is { } stored && stored.ETag == row.ETag
                && !await admission.IsInLineAsync(stored, stop);
        }
        catch (Exception error) when (error is not OperationCanceledException && !store.IsFault(error))
        {
            // The sweep counts what nobody can read.
            LogUnreadable(log, error, row.RowKey);
            return false;
        }
    }

    private async Task<bool> ComesAsync(Func<Task<bool>> condition, CancellationToken stop)
    {
        for (var began = time.GetTimestamp(); !await condition();)
        {
            if (time.GetElapsedTime(began) > Patience)
                return false;
            await Task.Delay(s_pause, time, stop);
        }
        return true;
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Warning, Message = "instance {Instance} has given no sign of life; what it had in hand is looked for")]
    private static partial void LogSilent(ILogger log, string instance);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Messages} messages that a dead instance had in hand are sent on their way again")]
    private static partial void LogRescued(ILogger log, int messages);

    [LoggerMessage(Level = LogLevel.Warning, Message = "whether anybody acts for the message of row {Row} cannot be told")]
    private static partial void LogUnreadable(ILogger log, Exception error, string row);
}
