namespace FuncStash.Cli.Moving;

/// <summary>What is set up on a service, as far as the public API tells it: what a file holds and what is moved.</summary>
/// <remarks>Messages, logs and dead letters are not part of it, nor are the default headers of URL groups, which no call tells.</remarks>
internal sealed record Inventory
{
    public List<QueueSetup> Queues { get; set; } = [];

    public List<FlowControlSetup> FlowControl { get; set; } = [];

    public List<UrlGroupSetup> UrlGroups { get; set; } = [];

    public List<ScheduleSetup> Schedules { get; set; } = [];
}

/// <summary>A queue.</summary>
internal sealed record QueueSetup
{
    public string Name { get; set; } = "";

    public int Parallelism { get; set; } = 1;

    public bool Paused { get; set; }
}

/// <summary>What an operator has fixed of a flow-control key.</summary>
internal sealed record FlowControlSetup
{
    public string Key { get; set; } = "";

    /// <summary>Null when it is not pinned.</summary>
    public int? Parallelism { get; set; }

    /// <summary>Null when it is not pinned.</summary>
    public int? Rate { get; set; }

    /// <summary>The period of the rate, such as <c>1m</c>; a second when null.</summary>
    public string? Period { get; set; }

    public bool Paused { get; set; }
}

/// <summary>A URL group.</summary>
internal sealed record UrlGroupSetup
{
    public string Name { get; set; } = "";

    public List<EndpointSetup> Endpoints { get; set; } = [];
}

/// <summary>An endpoint of a URL group.</summary>
internal sealed record EndpointSetup
{
    public string? Name { get; set; }

    public string Url { get; set; } = "";
}

/// <summary>A schedule.</summary>
internal sealed record ScheduleSetup
{
    public string Id { get; set; } = "";

    public string Cron { get; set; } = "";

    public string Destination { get; set; } = "";

    public string Method { get; set; } = "POST";

    /// <summary>Headers of the deliveries, <c>Content-Type</c> among them; several values of one with commas between (RFC 9110 §5.3).</summary>
    public Dictionary<string, string>? Headers { get; set; }

    /// <summary>The payload where it is text.</summary>
    public string? Body { get; set; }

    /// <summary>The payload where it is not.</summary>
    public string? BodyBase64 { get; set; }

    public int Retries { get; set; } = 3;

    /// <summary>An expression in milliseconds.</summary>
    public string? RetryDelay { get; set; }

    /// <summary>A duration, such as <c>90s</c>.</summary>
    public string? Delay { get; set; }

    /// <summary>A duration, such as <c>90s</c>.</summary>
    public string? Timeout { get; set; }

    public CallbackSetup? Callback { get; set; }

    public CallbackSetup? FailureCallback { get; set; }

    public string? Queue { get; set; }

    public FlowControlSetup? FlowControl { get; set; }

    public List<string>? Labels { get; set; }

    public bool Paused { get; set; }
}

/// <summary>A callback.</summary>
internal sealed record CallbackSetup
{
    public string Url { get; set; } = "";

    /// <summary>Its settings by their whole names, such as <c>Upstash-Retries</c> or <c>Upstash-Forward-X-Tenant</c>.</summary>
    public Dictionary<string, string>? Headers { get; set; }
}
