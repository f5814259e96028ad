namespace FuncStash.Settings;

/// <summary>How large a workflow run may become. One that would become larger is told so, and fails.</summary>
public sealed record WorkflowLimits
{
    /// <summary>The most steps of one run.</summary>
    public int MaxSteps { get; init; } = 10_000;

    /// <summary>The most steps of one run side by side.</summary>
    public int MaxParallelSteps { get; init; } = 500;

    /// <summary>The most that a run's payload, steps and events may have together, in bytes.</summary>
    public long MaxHistoryBytes { get; init; } = 128 * 1024 * 1024;

    /// <summary>The largest payload, step, event or result of a run, and the most that is kept of an answer to it, in bytes.</summary>
    public int MaxPayloadBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>The largest request that brings one payload: JSON may escape it, and has some more to say.</summary>
    public int MaxRequestBytes => (MaxPayloadBytes * 2) + (1024 * 1024);

    /// <summary>How many runs may stand above one another, each having invoked the next.</summary>
    public int MaxInvokeDepth { get; init; } = 100;

    /// <summary>The longest history, in bytes, that is sent to an endpoint which can fetch it itself.</summary>
    public int MaxDeliveredBytes { get; init; } = 3 * 1024 * 1024;
}
