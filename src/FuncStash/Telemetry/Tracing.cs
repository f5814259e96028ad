using System.Diagnostics;
using System.Globalization;
using System.Reflection;

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

    /// <summary>The names of the spans.</summary>
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
    internal static void Refused(Activity? span, int status)
    {
        span?.SetTag("error.type", status.ToString(CultureInfo.InvariantCulture));
        span?.SetStatus(ActivityStatusCode.Error);
    }

    /// <summary>Starts a span; null when nobody listens.</summary>
    /// <param name="parent">What it lies below; null for the span in whose course it starts.</param>
    internal static Activity? Start(string name, ActivityKind kind, TraceContext? parent = null) =>
        s_source.HasListeners() ? s_source.StartActivity(name, kind, parent?.ToParent() ?? default) : null;

    /// <summary>Writes on a span what kind of messaging operation it is, in OpenTelemetry's terms.</summary>
    internal static void Describe(Activity span, string type, string name)
    {
        span.SetTag("messaging.system", "funcstash");
        span.SetTag("messaging.operation.type", type);
        span.SetTag("messaging.operation.name", name);
    }

    /// <summary>The current span where it is one of ours, of that name.</summary>
    internal static Activity? Ours(string name) =>
        Activity.Current is { } current && ReferenceEquals(current.Source, s_source) && current.OperationName == name ? current : null;
}
