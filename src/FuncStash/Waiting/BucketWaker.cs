using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using Microsoft.Extensions.Logging;

namespace FuncStash.Waiting;

/// <summary>What became of a bucket that was to be woken.</summary>
public enum Waking
{
    /// <summary>Nothing waits in it.</summary>
    Empty,

    /// <summary>All that waited in it is in the work queue.</summary>
    Done,

    /// <summary>Somebody else is at it, or has left rows of which it is not known yet whether they were sent.</summary>
    Later,

    /// <summary>By this machine's clock its time has not come.</summary>
    Early,
}

/// <summary>Wakes a bucket: sends the tickets that wait in it to the work queue, each with the rest of its wait, and removes the rows.</summary>
/// <remarks>
/// A hundred at a time, claimed before they are sent and removed after, earliest first. Who dies in between leaves up to a
/// hundred <see cref="TicketsInDoubt"/>, which are settled one by one.
/// </remarks>
public sealed partial class BucketWaker(
    Buckets buckets, MessageStore messages, TicketsInDoubt doubts, IStore store, TimeProvider time, ILogger<BucketWaker> log)
{
    /// <summary>Wakes one bucket. Several may try at once.</summary>
    public async Task<Waking> WakeAsync(Bucket bucket, CancellationToken stop = default)
    {
        if (WaitTimes.AlarmOf(bucket.Minute) > Now + Clocks.SkewMs)
            return Waking.Early;
        var keys = await buckets.KeysAsync(bucket, after: null, stop);
        if (keys.Count == 0)
            return Waking.Empty;
        if (await BucketClaim.TryTakeAsync(store.Tables, bucket, keys[^1], time, stop) is not { } claim)
            return Waking.Later;
        var upTo = keys[^1];
        if (claim.Doubt is { } doubt && !await SettleAsync(bucket, claim, doubt, upTo, stop))
            return Waking.Later;
        return await SendAsync(bucket, claim, upTo, stop) ? Waking.Done : Waking.Later;
    }

    // Sends what was not sent yet. From here on it is finished: tickets that are on their way have no use for their rows.
    private async Task<bool> SendAsync(Bucket bucket, BucketClaim claim, string upTo, CancellationToken stop)
    {
        // Again, since until the claim somebody else may have sent them.
        var keys = await buckets.KeysAsync(bucket, after: null, stop);
        keys = [.. keys.TakeWhile(key => string.CompareOrdinal(key, upTo) <= 0)];
        while (true)
        {
            var now = Now;
            var sending = store.Queues.SendAsync([.. keys.Select(key => BucketSchedule.ToSend(BucketRows.FromKey(key), now))], CancellationToken.None);
            var next = await buckets.KeysAsync(bucket, keys.Count == 0 ? upTo : keys[^1], CancellationToken.None);
            await sending;
            if (!await claim.GoOnAsync(keys, next.Count == 0 ? null : next[^1], CancellationToken.None))
                return false;
            if (next.Count == 0)
                return true;
            (keys, upTo) = (next, next[^1]);
        }
    }

    // True when all rows in doubt are settled and gone; the claim then is for those up to a key.
    private async Task<bool> SettleAsync(Bucket bucket, BucketClaim claim, string doubt, string upTo, CancellationToken stop)
    {
        LogDoubt(log, WaitTimes.TextOf(bucket.Minute));
        if (string.CompareOrdinal(upTo, doubt) < 0)
            upTo = doubt;
        var isProbed = false;
        while (true)
        {
            var keys = await buckets.KeysAsync(bucket, after: null, stop);
            keys = [.. keys.TakeWhile(key => string.CompareOrdinal(key, doubt) <= 0)];
            if (keys.Count == 0)
                return true;
            var settled = new List<string>();
            foreach (var key in keys)
            {
                if (await TrySettleAsync(BucketRows.FromKey(key), stop))
                    settled.Add(key);
            }
            if (settled.Count == keys.Count)
            {
                if (!await claim.GoOnAsync(settled, upTo, stop))
                    return false;
                continue;
            }
            if (isProbed)
            {
                await claim.LeaveAsync(settled, doubt, stop);
                return false;
            }
            if (!await claim.GoOnAsync(settled, upTo, stop))
                return false;
            isProbed = true;
            await doubts.ProbeAsync(stop);
            await Task.Delay(TicketsInDoubt.Pause, time, stop);
        }
    }

    // One whose message has gone on since needs nothing; one that nobody can read is left to the sweep, which counts its failures.
    private async ValueTask<bool> TrySettleAsync(PlannedDelivery delivery, CancellationToken stop)
    {
        try
        {
            return await messages.GetAsync(delivery.Ticket.Id, stop) is not { } stored
                || (stored.Progress.Ticket, stored.Progress.DueAt, stored.Progress.Wait) != (delivery.Ticket.Number, delivery.DueAt, delivery.Wait)
                || await doubts.TrySettleAsync(stored, stop);
        }
        catch (Exception error) when (MessageRows.IsUnreadable(error))
        {
            return true;
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Warning, Message = "who sent what waited for {Minute} died over it; it is looked through")]
    private static partial void LogDoubt(ILogger log, string minute);
}
