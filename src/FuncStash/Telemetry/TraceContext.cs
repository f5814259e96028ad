using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Telemetry;

/// <summary>A trace context as requests carry it: <c>traceparent</c> and <c>tracestate</c> of W3C Trace Context.</summary>
public sealed record TraceContext(string Parent, string? State)
{
    /// <summary>The longest <c>tracestate</c> that is passed on; W3C Trace Context §3.3.1.5 asks for at least 512 characters.</summary>
    private const int MaxStateLength = 1024;

    /// <summary>The publisher's trace context; null when it sent none, or one that is malformed.</summary>
    public static TraceContext? Of(HttpRequest request)
    {
        var values = request.Headers["traceparent"];
        if (values.Count != 1 || values[0] is not { } parent || !ActivityContext.TryParse(parent, null, out _))
            return null;
        // May come as several headers, which are one list (W3C Trace Context §3.3.1).
        var state = string.Join(',', request.Headers["tracestate"].Where(value => !string.IsNullOrEmpty(value)));
        return new TraceContext(parent, state.Length is > 0 and <= MaxStateLength ? state : null);
    }

    internal static TraceContext? Of(Activity? activity) =>
        activity?.Id is { } id ? new TraceContext(id, activity.TraceStateString) : null;

    internal ActivityContext ToParent() =>
        ActivityContext.TryParse(Parent, State, isRemote: true, out var context) ? context : default;
}
