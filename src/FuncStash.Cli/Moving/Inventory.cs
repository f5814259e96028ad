namespace FuncStash.Cli.Moving;

/// <summary>What is set up on a service, as far as the public API tells it: what a file holds and what is moved.</summary>
/// <remarks>Messages, logs and dead letters are not part of it, nor are the default headers of URL groups, which no call tells.</remarks>
internal sealed record Inventory
{
    public List<QueueSetup> Queues { get; init; } = [];

    public List<FlowControlSetup> FlowControl { get; init; } = [];

    public List<UrlGroupSetup> UrlGroups { get; init; } = [];

    public List<ScheduleSetup> Schedules { get; init; } = [];
}

/// <summary>A queue.</summary>
internal sealed record QueueSetup
{
    public string Name { get; init; } = "";

    public int Parallelism { get; init; } = 1;

    public bool Paused { get; init; }
}

/// <summary>What an operator has fixed of a flow-control key.</summary>
internal sealed record FlowControlSetup
{
    public string Key { get; init; } = "";

    /// <summary>Null when it is not pinned.</summary>
    public int? Parallelism { get; init; }

    /// <summary>Null when it is not pinned.</summary>
    public int? Rate { get; init; }

    /// <summary>The period of the rate, such as <c>1m</c>; a second when null.</summary>
    public string? Period { get; init; }

    public bool Paused { get; init; }
}

/// <summary>A URL group.</summary>
internal sealed record UrlGroupSetup
{
    public string Name { get; init; } = "";

    public List<EndpointSetup> Endpoints { get; init; } = [];
}

/// <summary>An endpoint of a URL group.</summary>
internal sealed record EndpointSetup
{
    public string? Name { get; init; }

    public string Url { get; init; } = "";
}

/// <summary>A schedule.</summary>
internal sealed record ScheduleSetup
{
    public string Id { get; init; } = "";

    public string Cron { get; init; } = "";

    public string Destination { get; init; } = "";

    public string Method { get; init; } = "POST";

    /// <summary>Headers of the deliveries, <c>Content-Type</c> among them; several values of one with commas between (RFC 9110 §5.3).</summary>
    public SortedDictionary<string, string>? Headers { get; init; }

    /// <summary>The payload where it is text.</summary>
    public string? Body { get; init; }

    /// <summary>The payload where it is not.</summary>
    public string? BodyBase64 { get; init; }

    public int Retries { get; init; } = 3;

    /// <summary>An expression in milliseconds.</summary>
    public string? RetryDelay { get; init; }

    /// <summary>A duration, such as <c>90s</c>.</summary>
    public string? Delay { get; init; }

    /// <summary>A duration, such as <c>90s</c>.</summary>
    public string? Timeout { get; init; }

    public CallbackSetup? Callback { get; init; }

    public CallbackSetup? FailureCallback { get; init; }

    public string? Queue { get; init; }

    public FlowControlSetup? FlowControl { get; init; }

    public List<string>? Labels { get; init; }

    public bool Paused { get; init; }
}

/// <summary>A callback.</summary>
internal sealed record CallbackSetup
{
    public string Url { get; init; } = "";

    /// <summary>Its settings by their whole names, such as <c>Upstash-Retries</c> or <c>Upstash-Forward-X-Tenant</c>.</summary>
    public SortedDictionary<string, string>? Headers { get; init; }
}
