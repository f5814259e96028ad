using FuncStash.Messages;

namespace FuncStash.Callbacks;

/// <summary>The ids of the messages that report an attempt's outcome; they follow from the message and the attempt, so each is made once.</summary>
public static class CallbackIds
{
    /// <param name="source">The message that was attempted.</param>
    /// <param name="retried">How many retries had been started, that attempt included.</param>
    /// <param name="settledAt">When its outcome was there, in unix milliseconds.</param>
    public static MessageId OfAttempt(MessageId source, int retried, long settledAt) => source.Follower($"callback|{retried}", settledAt);

    /// <param name="source">The message that failed for good.</param>
    /// <param name="settledAt">When the outcome of its last attempt was there, in unix milliseconds.</param>
    public static MessageId OfFailure(MessageId source, long settledAt) => source.Follower("failure-callback", settledAt);
}
