using FuncStash.Messages;
using FuncStash.Storage;
using Microsoft.Extensions.Logging;

namespace FuncStash.Delivery;

/// <summary>What is done about a message that the service itself cannot handle.</summary>
/// <remarks>
/// Its step is tried again with growing pauses, about five minutes in all, and counted in the message's row, so that the
/// count outlives processes. Then it ends as a dead letter that says why; a row that nobody can read is set aside. Trouble
/// of the storage is not counted: it says nothing about the message, and comes to an end by itself.
/// </remarks>
public sealed partial class StepFailures(
    FailingMessages failing, MessageStore messages, Settler settler, TimeProvider time, ILogger<StepFailures> log)
{
    /// <summary>After how many failures in a row a message is given up.</summary>
    public const int Most = 10;

    private const int LongestReason = 1_000;

    /// <summary>Whether an error is the message's: not that of a storage or a host in trouble, nor the end of the process.</summary>
    public bool Concerns(Exception error) => settler.IsLasting(error);

    /// <summary>Counts a step that failed, and sees to it that it is done again, or that the message ends.</summary>
    public async Task<StepResult> HandleAsync(MessageId id, Exception error, Lease? lease, CancellationToken stop)
    {
        FailureCount? count;
        try
        {
            count = await failing.CountAsync(id, stop);
        }
        catch (Exception second) when (Concerns(second))
        {
            // Its row takes nothing more, not even a number.
            return await GiveUpAsync(id, error, lease, stop);
        }
        if (count is { Times: < Most })
        {
            LogFailed(log, error, id.Text, count.Times, Most);
            return await AgainAsync(Now + PauseMs(count.Times), lease, stop);
        }
        if (count is { Ended: false })
            return await GiveUpAsync(id, error, lease, stop);
        LogLeft(log, error, id.Text);
        await messages.EndLeaseAsync(LeaseEnd.Of(lease), stop);
        return StepResult.Done.Instance;
    }

    /// <summary>Makes a dead letter of a message, or sets its row aside where that cannot be.</summary>
    public async Task<StepResult> GiveUpAsync(MessageId id, Exception error, Lease? lease, CancellationToken stop)
    {
        LogGivenUp(log, error, id.Text);
        try
        {
            if (await messages.GetAsync(id, stop) is { Ended: false } stored)
            {
                return await settler.FinishAsync(await settler.FailAsync(stored, Reason(error), lease, stop), lease)
                    ?? await AgainAsync(Now + 1000, lease, stop);
            }
        }
        catch (Exception second) when (Concerns(second))
        {
            if (await failing.SetAsideAsync(id, stop))
                LogSetAside(log, second, id.Text);
        }
        await messages.EndLeaseAsync(LeaseEnd.Of(lease), stop);
        return StepResult.Done.Instance;
    }

    private async Task<StepResult> AgainAsync(long at, Lease? lease, CancellationToken stop)
    {
        await messages.EndLeaseAsync(LeaseEnd.Of(lease, Now, at), stop);
        return new StepResult.Again(at);
    }

    private static string Reason(Exception error)
    {
        var text = $"the service cannot handle this message: {error.GetType().Name}: {error.Message}";
        return text.Length > LongestReason ? text[..LongestReason] : text;
    }

    // 2, 4, 8 s and so on, a minute at most.
    private static long PauseMs(int times) => Math.Min(60, 1 << Math.Min(times, 6)) * 1000L;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Error, Message = "message {Message} could not be handled, {Times} of {Most} times, and is tried again")]
    private static partial void LogFailed(ILogger log, Exception error, string message, int times, int most);

    [LoggerMessage(Level = LogLevel.Critical, Message = "message {Message} cannot be handled and becomes a dead letter")]
    private static partial void LogGivenUp(ILogger log, Exception error, string message);

    [LoggerMessage(Level = LogLevel.Critical, Message = "the row of message {Message} cannot be read or ended and is set aside")]
    private static partial void LogSetAside(ILogger log, Exception error, string message);

    [LoggerMessage(Level = LogLevel.Critical, Message = "what belongs to the end of message {Message} cannot be done and is left")]
    private static partial void LogLeft(ILogger log, Exception error, string message);
}
