namespace FuncStash.Bench.Kills;

/// <summary>The one clock of a kill run, by which the server's times can be read too.</summary>
internal sealed class Clock(TimeProvider time)
{
    public TimeProvider Time => time;

    /// <summary>Unix milliseconds with fractions.</summary>
    public double Now => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds;

    public Task DelayAsync(double ms, CancellationToken stop = default) =>
        Task.Delay(TimeSpan.FromMilliseconds(Math.Max(0, ms)), time, stop);
}
