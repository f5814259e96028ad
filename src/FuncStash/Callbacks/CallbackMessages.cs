using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Callbacks;

/// <summary>Makes the messages that report an attempt's outcome (protocol#callbacks).</summary>
internal static class CallbackMessages
{
    /// <summary>The callbacks of one attempt: after each one, and once more of its own kind when the message has failed.</summary>
    public static IReadOnlyList<Message> Of(
        Message source, byte[] body, int retried, AttemptOutcome outcome, string? dlqId, long now, FuncStashOptions options)
    {
        if (source.Callback is null && (source.FailureCallback is null || dlqId is null))
            return [];
        var messages = new List<Message>(2);
        if (source.Callback is { } callback)
        {
            var content = CallbackBody.Create(source, body, retried, outcome, null, options);
            messages.Add(Create(source, callback, CallbackIds.OfAttempt(source.Id, retried, now), content, now, options));
        }
        if (source.FailureCallback is { } failure && dlqId is not null)
        {
            var content = CallbackBody.Create(source, body, retried, outcome, dlqId, options);
            messages.Add(Create(source, failure, CallbackIds.OfFailure(source.Id, now), content, now, options));
        }
        return messages;
    }

    private static Message Create(
        Message source, CallbackSettings callback, MessageId id, byte[] content, long now, FuncStashOptions options)
    {
        var settings = PublishSettingsReader.ParseAccepted(callback.Settings, options);
        var header = new HeaderMap();
        foreach (var (name, values) in settings.Header)
            header.Add(name, values);
        foreach (var (name, values) in callback.Settings)
        {
            if (name.StartsWith("Upstash-Workflow-", StringComparison.OrdinalIgnoreCase))
                header.Set(HeaderName.Canonical(name), values);
        }
        if (!header.Contains("Content-Type"))
            header.Set("Content-Type", "application/json");
        var message = new Message
        {
            Id = id,
            Url = callback.Url,
            Body = content,
            MaxRetries = source.MaxRetries,
            CallerIp = source.CallerIp,
            TraceParent = source.TraceParent,
            TraceState = source.TraceState,
            CallbackOf = source.Id.Text,
            // The next message of the queue waits for this one too (protocol#queues).
            QueueSlot = source.QueueSlot ?? (source.QueueName is { } queue ? new QueueSlot(queue, source.Id.Text) : null),
        };
        return (settings with { Header = header, Redact = RedactOf(source, settings) }).ApplyTo(message, now);
    }

    // Its body carries the source's, so it would show what is hidden of the source, whatever else is to be hidden (protocol#redaction).
    private static string? RedactOf(Message source, PublishSettings settings) =>
        source.Redact is { } hidden ? string.Join(',', new[] { "body", hidden, settings.Redact }.OfType<string>()) : settings.Redact;
}
