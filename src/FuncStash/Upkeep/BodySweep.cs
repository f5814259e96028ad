using System.Collections.Concurrent;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.Storage;
using Microsoft.Extensions.Logging;

namespace FuncStash.Upkeep;

/// <summary>What a turn of the sweep of payloads did.</summary>
/// <param name="Removed">Payloads it removed.</param>
/// <param name="More">True when its turn was over before all were looked at.</param>
public sealed record BodySweepResult(int Removed, bool More);

/// <summary>
/// Removes payloads that no row names: whoever put one died before the row was stored, or was stored another row in its place.
/// </summary>
/// <remarks>
/// Each payload is looked at when it is of age: a pass looks at all that have come of age since the one before it. Once a month
/// one looks at all there are, since a crash can also come between the removal of a row and that of its payload. What cannot be
/// told to be nobody's stays: where its name tells no owner, where a row of the owner cannot be read, and where a second look,
/// after a while, finds a row.
/// </remarks>
public sealed partial class BodySweep(
    IStore store, RunStore runs, ScheduleStore schedules, DeadLetterStore letters, TimeProvider time, ILogger<BodySweep> log)
{
    /// <summary>Younger payloads are left alone: their rows may still come.</summary>
    public static readonly TimeSpan Age = 6 * BodyName.Unnamed;

    /// <summary>
    /// How long after the first look the second one is: a storage or a machine that stood still between a put and its commit for
    /// as long as the age is may go on in this very moment. An outcome that is held on to is stored within 5 seconds.
    /// </summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    private static readonly long s_month = (long)TimeSpan.FromDays(30).TotalMilliseconds;

    // Looks and removals are waiting for answers. In a single file they would only wait for one another.
    private readonly int _atOnce = store.IsPartitioned ? 16 : 1;

    /// <summary>How long a run goes on, at most: then other jobs have their turns, and the next run goes on where it was.</summary>
    public TimeSpan Turn { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Names to a page, which is looked through to its end: as many as an Azure account lists in one operation.</summary>
    public int Page { get; init; } = 5_000;

    public async Task<BodySweepResult> RunAsync(CancellationToken stop = default)
    {
        var began = time.GetTimestamp();
        var place = Checked(await BodyPlace.ReadAsync(store.Tables, stop));
        if (place.Before <= place.Since)
            return new BodySweepResult(0, More: false);
        var suspects = new List<string>();
        do
        {
            var page = await ListAsync(place, stop);
            suspects.AddRange((await UnnamedAsync(page.Names, stop)).SelectMany(found => found.Names));
            place = place with { After = page.Next };
        }
        while (place.After is not null && time.GetElapsedTime(began) < Turn);
        var removed = await RemoveAsync(suspects, stop);
        if (place.After is null)
            place = new BodyPlace(place.Before!.Value, null, null, place.Since == 0 ? place.Before.Value : place.Whole);
        await place.WriteAsync(store.Tables, stop);
        return new BodySweepResult(removed, More: place.Before is not null);
    }

    // The pass that is under way, or the next one.
    private BodyPlace Checked(BodyPlace place)
    {
        var latest = (time.GetUtcNow() - Age).ToUnixTimeMilliseconds();
        // A clock that was far ahead has said so: all are looked at once more, rather than some never.
        if (place.Since > latest + (long)Age.TotalMilliseconds + Clocks.SkewMs)
            place = BodyPlace.Start;
        if (place.Before <= latest + Clocks.SkewMs)
            return place;
        return place with { Since = latest - place.Whole < s_month ? place.Since : 0, Before = latest, After = null };
    }

    private async Task<BodyPage> ListAsync(BodyPlace place, CancellationToken stop)
    {
        try
        {
            return await store.Bodies.ListAsync(
                DateTimeOffset.FromUnixTimeMilliseconds(place.Since), DateTimeOffset.FromUnixTimeMilliseconds(place.Before!.Value),
                place.After, Page, stop);
        }
        catch (Exception error) when (place.After is not null && !stop.IsCancellationRequested && !store.IsFault(error))
        {
            // What the store does not go on from today it will not tomorrow: the pass begins anew at its next turn.
            await (place with { After = null }).WriteAsync(store.Tables, stop);
            throw;
        }
    }

    private async Task<int> RemoveAsync(List<string> suspects, CancellationToken stop)
    {
        if (suspects.Count == 0)
            return 0;
        await Task.Delay(Pause, time, stop);
        var unnamed = await UnnamedAsync(suspects, stop);
        var ofLetters = await NamedByLettersAsync(unnamed, stop);
        var removed = 0;
        await ForEachAsync(unnamed.SelectMany(found => found.Names, (found, name) => (found.Owner, Name: name)), async (each, cancellation) =>
        {
            if (each.Owner is BodyOwner.OfMessage && ofLetters?.Contains(each.Name) != false)
                return;
            await store.Bodies.DeleteAsync(each.Name, cancellation);
            Interlocked.Increment(ref removed);
        }, stop);
        return removed;
    }

    private async Task<IReadOnlyCollection<(BodyOwner Owner, HashSet<string> Names)>> UnnamedAsync(
        IReadOnlyList<string> names, CancellationToken stop)
    {
        var unnamed = new ConcurrentBag<(BodyOwner, HashSet<string>)>();
        var owned = names.Select(name => (Name: name, Owner: BodyOwner.Of(name))).Where(each => each.Owner is not null);
        await ForEachAsync(owned.GroupBy(each => each.Owner!, each => each.Name), async (group, cancellation) =>
        {
            var left = group.ToHashSet(StringComparer.Ordinal);
            if (await TryAsync(group.Key, () => ExceptNamedAsync(group.Key, left, cancellation)) && left.Count > 0)
                unnamed.Add((group.Key, left));
        }, stop);
        return unnamed;
    }

    private async ValueTask ExceptNamedAsync(BodyOwner owner, HashSet<string> names, CancellationToken stop)
    {
        switch (owner)
        {
            case BodyOwner.OfMessage(var id):
                // Most have ended by now. One that ends between the two reads is found by the second look.
                foreach (var kind in new[] { MessageRows.Ended, MessageRows.Live, MessageRows.Aside })
                {
                    var row = await store.Tables.GetAsync(MessageRows.Table, MessageRows.Partition(id), MessageRows.Key(kind, id), ["Spec"], stop);
                    if (row is not null && MessageRows.BodyNameOf(row) is { } name && names.Remove(name) && names.Count == 0)
                        return;
                }
                break;
            case BodyOwner.OfLetter(var id):
                if (await letters.BodyNameAsync(id, stop) is { } named)
                    names.Remove(named);
                break;
            case BodyOwner.OfRun(var key):
                await runs.ExceptNamedAsync(key, names, stop);
                break;
            case BodyOwner.OfSchedules:
                names.ExceptWith(await schedules.BodyNamesAsync(stop));
                break;
        }
    }

    // A letter whose message's payload could not be read goes on naming that, whatever becomes of the message. Which one does cannot
    // be told from the message's id; but it came after the message. Null when one of them cannot be read.
    private async Task<IReadOnlySet<string>?> NamedByLettersAsync(
        IReadOnlyCollection<(BodyOwner Owner, HashSet<string> Names)> unnamed, CancellationToken stop)
    {
        var messages = unnamed.Select(found => found.Owner).OfType<BodyOwner.OfMessage>().ToList();
        if (messages.Count == 0)
            return new HashSet<string>();
        var first = messages.MinBy(message => message.Id.CreatedAt)!;
        IReadOnlySet<string>? names = null;
        await TryAsync(first, async () => names = await letters.BodyNamesAsync(first.Id.CreatedAt - Clocks.SkewMs, stop));
        return names;
    }

    // False where it cannot be told who names a payload: then somebody may. The storage's own troubles end the turn.
    private async ValueTask<bool> TryAsync(BodyOwner owner, Func<ValueTask> look)
    {
        try
        {
            await look();
            return true;
        }
        catch (Exception error) when (error is not OperationCanceledException && !store.IsFault(error))
        {
            LogUnsure(log, error, owner);
            return false;
        }
    }

    private Task ForEachAsync<T>(IEnumerable<T> all, Func<T, CancellationToken, ValueTask> each, CancellationToken stop) =>
        Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = _atOnce, CancellationToken = stop }, each);

    [LoggerMessage(Level = LogLevel.Warning, Message = "whether anybody names payloads of {Owner} cannot be told; they stay")]
    private static partial void LogUnsure(ILogger log, Exception error, object owner);
}
