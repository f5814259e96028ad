using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using FuncStash.Delivery;
using FuncStash.Messages;

namespace FuncStash.Telemetry;

/// <summary>
/// The spans of the service: <c>publish</c>, below it each <c>attempt</c>, below that each <c>callback</c> with attempts
/// of its own: one trace, from the publisher's span to the destination's. No span holds a body, a header, or more of a
/// URL than its host.
/// </summary>
public static class Tracing
{
    /// <summary>The name of the activity source, for whoever listens.</summary>
    public const string SourceName = "FuncStash";

    internal const string PublishName = "publish", AttemptName = "attempt", CallbackName = "callback";

    private static readonly ActivitySource s_source =
        new(SourceName, typeof(Tracing).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);

    /// <summary>Starts the span of a publish; null when nobody listens.</summary>
    /// <param name="publisher">The trace context the publisher sent.</param>
    /// <param name="count">How many publishes the request asks for.</param>
    internal static Activity? StartPublish(TraceContext? publisher, int count = 1)
    {
        if (!s_source.HasListeners())
            return null;
        var around = Activity.Current;
        // ASP.NET Core makes an activity for its log lines even when nobody listens: a parent that no one would ever see.
        if (around?.Source.Name.Length == 0)
            Activity.Current = null;
        var span = s_source.StartActivity(
            PublishName, ActivityKind.Producer, Activity.Current is null && publisher is not null ? publisher.ToParent() : default);
        if (span is null)
            Activity.Current = around;
        else if (span.IsAllDataRequested)
        {
            Describe(span, "send", PublishName);
            if (count != 1)
                span.SetTag("messaging.batch.message_count", count);
        }
        return span;
    }

    /// <summary>Writes on the span of a publish why it was refused; of a batch, when all of it was.</summary>
    internal static void Refused(Activity? span, QStashException refusal)
    {
        span?.SetTag("error.type", refusal.Status.ToString(CultureInfo.InvariantCulture));
        span?.SetStatus(ActivityStatusCode.Error);
    }

    /// <summary>The trace context a new message is published under: the span's, or what the publisher sent.</summary>
    internal static Message Traced(this Message message, TraceContext? publisher)
    {
        var span = Ours(PublishName);
        // Of a batch or a group, each message's own spans name it.
        if (span is { IsAllDataRequested: true } && message.TopicName is null && span.GetTagItem("messaging.batch.message_count") is null)
            span.SetTag("messaging.message.id", message.Id.Text);
        return (TraceContext.Of(span) ?? publisher) is { } context
            ? message with { TraceParent = context.Parent, TraceState = context.State }
            : message;
    }

    /// <summary>Starts the span of an attempt below the message's publish; null when nobody listens.</summary>
    internal static Activity? StartAttempt(StoredMessage stored)
    {
        if (!s_source.HasListeners())
            return null;
        var message = stored.Message;
        var span = s_source.StartActivity(AttemptName, ActivityKind.Client, ContextOf(message)?.ToParent() ?? default);
        if (span is not { IsAllDataRequested: true })
            return span;
        Describe(span, "process", AttemptName);
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
    internal static Transition Settled(Transition step, AttemptOutcome outcome)
    {
        if (Ours(AttemptName) is not { } span)
            return step;
        if (outcome.Status > 0)
            span.SetTag("http.response.status_code", outcome.Status);
        if (outcome is not AttemptOutcome.Response { IsSuccess: true })
        {
            span.SetTag("error.type", Metrics.ErrorType(outcome));
            span.SetStatus(ActivityStatusCode.Error);
        }
        span.SetTag("funcstash.message.state", step.After.State.Wire());
        return step.Followers.Count == 0 ? step : step with { Followers = [.. step.Followers.Select(CallBack)] };
    }

    /// <summary>The trace context that goes to the destination: the attempt's, or what the publisher sent, or none.</summary>
    internal static TraceContext? Outgoing(Message message) => TraceContext.Of(Ours(AttemptName)) ?? ContextOf(message);

    private static Message CallBack(Message callback)
    {
        using var span = s_source.StartActivity(CallbackName, ActivityKind.Producer);
        if (span is null)
            return callback;
        Describe(span, "send", CallbackName);
        span.SetTag("messaging.message.id", callback.Id.Text);
        return callback with { TraceParent = span.Id, TraceState = span.TraceStateString };
    }

    private static void Describe(Activity span, string type, string name)
    {
        span.SetTag("messaging.system", "funcstash");
        span.SetTag("messaging.operation.type", type);
        span.SetTag("messaging.operation.name", name);
    }

    private static TraceContext? ContextOf(Message message) =>
        message.TraceParent is { } parent ? new TraceContext(parent, message.TraceState) : null;

    private static Activity? Ours(string name) =>
        Activity.Current is { } current && ReferenceEquals(current.Source, s_source) && current.OperationName == name ? current : null;
}
