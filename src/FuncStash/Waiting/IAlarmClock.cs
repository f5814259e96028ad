namespace FuncStash.Waiting;

/// <summary>What a host needs to wake the buckets of a minute in time.</summary>
public interface IAlarmClock
{
    /// <summary>
    /// Sees to it that a minute's buckets are woken (<see cref="BucketWaker"/>) from a minute before it on. Setting the alarm of
    /// a minute again changes nothing. One that cannot be set is no error: upkeep wakes what nobody woke.
    /// </summary>
    /// <param name="minute">The start of the minute, in unix milliseconds.</param>
    /// <param name="cancellation">Stops the call.</param>
    /// <returns>False when it is not set.</returns>
    ValueTask<bool> SetAsync(long minute, CancellationToken cancellation);

    /// <summary>Removes what is left of an alarm that rang a while ago.</summary>
    /// <param name="minute">The start of the minute, in unix milliseconds.</param>
    /// <param name="cancellation">Stops the call.</param>
    ValueTask ForgetAsync(long minute, CancellationToken cancellation);
}

/// <summary>A host without alarms: upkeep wakes the buckets, of which it has those that another host left.</summary>
internal sealed class NoAlarms : IAlarmClock
{
    public ValueTask<bool> SetAsync(long minute, CancellationToken cancellation) => new(false);

    public ValueTask ForgetAsync(long minute, CancellationToken cancellation) => ValueTask.CompletedTask;
}
