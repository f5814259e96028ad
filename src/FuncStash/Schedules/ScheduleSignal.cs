namespace FuncStash.Schedules;

/// <summary>Tells the schedule loop of this process that a schedule may now be due earlier than it was.</summary>
public sealed class ScheduleSignal
{
    private volatile TaskCompletionSource _raised = New();

    /// <summary>Ends the waits for the task that <see cref="Next"/> gave.</summary>
    public void Raise() => Interlocked.Exchange(ref _raised, New()).TrySetResult();

    /// <summary>A task that ends with the next call of <see cref="Raise"/>; take it before looking at what is due.</summary>
    public Task Next => _raised.Task;

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
