using System.Diagnostics;
using FuncStash.Messages;
using FuncStash.Telemetry;

namespace FuncStash.Delivery;

/// <summary>The spans of attempts, and of the callbacks below them.</summary>
internal static class DeliveryTracing
{
    /// <summary>Starts the span of an attempt below the message's publish; null when nobody listens.</summary>
    public static Activity? Start(StoredMessage stored)
    {
        var message = stored.Message;
        var span = Tracing.Start(Tracing.AttemptName, ActivityKind.Client, ContextOf(message));
        if (span is not { IsAllDataRequested: true })
            return span;
        Tracing.Describe(span, "process", Tracing.AttemptName);
        span.SetTag("messaging.message.id", message.Id.Text);
        span.SetTag("http.request.method", message.Method);
        span.SetTag("http.request.resend_count", stored.Progress.Retried);
        if (Uri.TryCreate(message.Url, UriKind.Absolute, out var url))
        {
            span.SetTag("server.address", url.Host);
            span.SetTag("server.port", url.Port);
        }
        return span;
    }

    /// <summary>Writes an attempt's outcome on its span, and puts the callbacks it causes below it.</summary>
    public static Transition Settled(Transition step, AttemptOutcome outcome)
    {
        if (Tracing.Ours(Tracing.AttemptName) is not { } span)
            return step;
        if (outcome.Status > 0)
            span.SetTag("http.response.status_code", outcome.Status);
        if (outcome is not AttemptOutcome.Response { IsSuccess: true })
        {
            span.SetTag("error.type", Metrics.ErrorType(outcome.Status));
            span.SetStatus(ActivityStatusCode.Error);
        }
        span.SetTag("funcstash.message.state", step.After.State.Wire());
        return step.Followers.Count == 0 ? step : step with { Followers = [.. step.Followers.Select(CallBack)] };
    }

    /// <summary>The trace context that goes to the destination: the attempt's, or what the publisher sent, or none.</summary>
    public static TraceContext? Outgoing(Message message) =>
        TraceContext.Of(Tracing.Ours(Tracing.AttemptName)) ?? ContextOf(message);

    private static Message CallBack(Message callback)
    {
        using var span = Tracing.Start(Tracing.CallbackName, ActivityKind.Producer);
        if (span is null)
            return callback;
        Tracing.Describe(span, "send", Tracing.CallbackName);
        span.SetTag("messaging.message.id", callback.Id.Text);
        return callback with { TraceParent = span.Id, TraceState = span.TraceStateString };
    }

    private static TraceContext? ContextOf(Message message) =>
        message.TraceParent is { } parent ? new TraceContext(parent, message.TraceState) : null;
}
