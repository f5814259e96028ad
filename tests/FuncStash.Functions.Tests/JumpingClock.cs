namespace FuncStash.Functions.Tests;

/// <summary>A clock that runs, and jumps when the test says so. Timers run on as if nothing had happened.</summary>
internal sealed class JumpingClock : TimeProvider
{
    private long _ticks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _ticks));

    public void Jump(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public void JumpTo(DateTimeOffset time) => Jump(time - GetUtcNow());
}
