using FuncStash.Messages;
using FuncStash.Telemetry;

namespace FuncStash.Publishing;

/// <summary>Puts new messages into the trace of their publish.</summary>
internal static class PublishTracing
{
    /// <summary>The message under the trace context of its publish: the span's, or what the publisher sent.</summary>
    public static Message Traced(this Message message, TraceContext? publisher)
    {
        var span = Tracing.Ours(Tracing.PublishName);
        // Of a batch or a group, each message's own spans name it.
        if (span is { IsAllDataRequested: true } && message.TopicName is null && span.GetTagItem("messaging.batch.message_count") is null)
            span.SetTag("messaging.message.id", message.Id.Text);
        return (TraceContext.Of(span) ?? publisher) is { } context
            ? message with { TraceParent = context.Parent, TraceState = context.State }
            : message;
    }
}
