using FuncStash.Messages;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace FuncStash.Functions.Delivery;

/// <summary>What an orchestration waits for.</summary>
/// <param name="Ticket">The delivery ticket: a message's id and a number. Nothing else of the message enters the history.</param>
/// <param name="DueAt">When to act, in unix milliseconds.</param>
/// <param name="Failures">How often in a row the attempt could not even be made or settled.</param>
public sealed record DeliveryWait(string Ticket, long DueAt, int Failures = 0);

/// <summary>Waits until a message is due and sends it to the work queue. Nothing starts it any more.</summary>
/// <remarks>
/// Up to version 0.1 every message that had to wait was one of these. It stays for the one release after that, so that a hub
/// which still has some runs empty; what waits even longer is found by upkeep when it is overdue.
/// </remarks>
public static partial class DeliveryOrchestration
{
    public const string Name = "Delivery_1", Wake = "wake";

    [Function(Name)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context, DeliveryWait wait)
    {
        await SleepAsync(context, wait.DueAt);
        var next = await AttemptAsync(context, wait);
        if (next is not null)
            context.ContinueAsNew(next);
    }

    // A timer of more than three days is made of shorter ones by the worker library.
    private static async Task SleepAsync(TaskOrchestrationContext context, long dueAt)
    {
        var due = DateTimeOffset.FromUnixTimeMilliseconds(dueAt).UtcDateTime;
        if (due <= context.CurrentUtcDateTime)
            return;
        using var over = new CancellationTokenSource();
        var timer = context.CreateTimer(due, over.Token);
        var wake = context.WaitForExternalEvent<object?>(Wake, over.Token);
        await Task.WhenAny(timer, wake);
        // Not asynchronously: an orchestrator must not leave its thread.
        over.Cancel();
    }

    private static async Task<DeliveryWait?> AttemptAsync(TaskOrchestrationContext context, DeliveryWait wait)
    {
        try
        {
            var at = await context.CallActivityAsync<long?>(AttemptActivity.Name, wait);
            // An attempt that came too early by the clock of its machine is not made again at once.
            return at is not { } again ? null
                : wait with { DueAt = again == wait.DueAt ? Math.Max(again, In(context, TimeSpan.FromSeconds(1))) : again, Failures = 0 };
        }
        catch (TaskFailedException failure)
        {
            // Storage that is down comes back: a message is never given up for it.
            var failures = wait.Failures + 1;
            var pause = TimeSpan.FromSeconds(Math.Min(600, Math.Pow(2, Math.Min(failures, 10))));
            LogFailed(context.CreateReplaySafeLogger(Name), wait.Ticket, failures, failure.FailureDetails.ErrorMessage);
            return wait with { DueAt = In(context, pause), Failures = failures };
        }
    }

    private static long In(TaskOrchestrationContext context, TimeSpan pause) =>
        new DateTimeOffset(context.CurrentUtcDateTime + pause, TimeSpan.Zero).ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Error, Message = "delivery {Ticket} failed {Failures} times in a row and is tried again: {Error}")]
    private static partial void LogFailed(ILogger log, string ticket, int failures, string error);
}
