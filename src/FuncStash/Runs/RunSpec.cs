using System.Text.Json.Serialization;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Runs;

/// <summary>What a run was started with: fixed from its start on.</summary>
public sealed record RunSpec
{
    public required string RunId { get; init; }

    /// <summary>The workflow's URL, as its endpoint names it.</summary>
    public required string Url { get; init; }

    /// <summary>Where its deliveries go; the same, unless the endpoint is behind something that gives it another name.</summary>
    public required string Destination { get; init; }

    /// <summary>The headers that every delivery of the run carries.</summary>
    public HeaderMap Header { get; init; } = HeaderMap.Empty;

    public int MaxRetries { get; init; }

    public string? RetryDelay { get; init; }

    /// <summary>How long one delivery may take, in milliseconds; null for the service's limit.</summary>
    public long? TimeoutMs { get; init; }

    public FlowControlSettings? FlowControl { get; init; }

    public IReadOnlyList<string>? Labels { get; init; }

    public CallbackSettings? FailureCallback { get; init; }

    public string? Redact { get; init; }

    /// <summary>What is not to be shown; null for nothing.</summary>
    [JsonIgnore]
    public RedactFields? Redaction => Redact is { } text && RedactFields.TryParse(text, out var fields, out _) ? fields : null;

    public string CallerIp { get; init; } = "";

    public required RunFeatures Features { get; init; }

    /// <summary>True for a run that was started by <c>/v2/trigger</c>, which only newer SDKs understand.</summary>
    public bool IsPlainTrigger { get; init; }

    /// <summary>The run that waits for the end of this one.</summary>
    public Invoker? Invoker { get; init; }

    /// <summary>How many runs stand above this one, each having invoked the next.</summary>
    public int Depth { get; init; }

    public string? TraceParent { get; init; }

    public string? TraceState { get; init; }
}

/// <summary>A run that invoked another one, and the step for which it did.</summary>
/// <param name="Key">The invoking run's key.</param>
/// <param name="Step">The step's number.</param>
public sealed record Invoker(string RunId, string Key, string Url, int Step);
