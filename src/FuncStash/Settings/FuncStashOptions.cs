namespace FuncStash.Settings;

/// <summary>What an operator may set. Every value has a default that suits a local server.</summary>
public sealed record FuncStashOptions
{
    /// <summary>The shortest signing key, in bytes: HS256 wants as many as its hash has (RFC 7518 §3.2).</summary>
    public const int MinSigningKeyBytes = 32;

    /// <summary>Tokens that may do everything, newest first. At least one.</summary>
    public IReadOnlyList<string> Tokens { get; init; } = [DevServer.Token];

    /// <summary>Tokens that may look but not act, nor see the signing keys.</summary>
    public IReadOnlyList<string> ReadOnlyTokens { get; init; } = [];

    /// <summary>The signing keys until the first rotation (protocol#keys).</summary>
    public string CurrentSigningKey { get; init; } = DevServer.CurrentSigningKey;

    public string NextSigningKey { get; init; } = DevServer.NextSigningKey;

    /// <summary>The largest payload of one message, in bytes, and the most that is kept of a response.</summary>
    public int MaxBodyBytes { get; init; } = 1024 * 1024;

    /// <summary>The largest <c>/v2/batch</c> request, in bytes.</summary>
    public int MaxBatchBytes { get; init; } = 100 * 1024 * 1024;

    /// <summary>
    /// The most that the headers and settings of one message may have in bytes, names and values together and 32 more for
    /// each: a store's record has a limit, and they share one with the payload, the response and what becomes of the message.
    /// </summary>
    public int MaxSettingsBytes { get; init; } = 64 * 1024;

    public int MaxRetries { get; init; } = 1000;

    /// <summary>How long an attempt may take at most; <c>Upstash-Timeout</c> can only shorten it.</summary>
    public TimeSpan MaxTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>The longest delay, from the publish, that a message may ask for.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromDays(366);

    /// <summary>The most attempts in flight in one process. The host decides, which must have a place for each.</summary>
    public int MaxParallelism { get; init; } = 1024;

    /// <summary>
    /// The most of them to one destination host: less than <see cref="MaxParallelism"/>, so that one that hangs leaves room.
    /// </summary>
    public int DestinationParallelism { get; init; } = 256;

    /// <summary>The most connections to destinations in one process. The host decides, which knows how many files it may open.</summary>
    public int MaxConnections { get; init; } = 4096;

    /// <summary>How long ended messages and log events are kept.</summary>
    public TimeSpan LogRetention { get; init; } = TimeSpan.FromDays(7);

    public TimeSpan DlqRetention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long a message may be due, with the work queue worked through, before it is taken for lost and sent again.</summary>
    public TimeSpan SweepAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>In how many queues of an Azure Storage account the work queue lies: 1 to 8. Other stores have one.</summary>
    public int WorkQueues { get; init; } = 1;

    /// <summary>
    /// How long a worker holds on to an attempt's outcome while the storage does not take it. The host decides, which may
    /// not let it go on for ever. Infinite: as long as the process lives.
    /// </summary>
    public TimeSpan SettlingTime { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long a message stays readable and cancellable under its id after its end (protocol#messages).</summary>
    public TimeSpan EndedGrace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The window of a deduplication id (protocol#deduplication).</summary>
    public TimeSpan DeduplicationWindow { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Whether deliveries may go to this machine and to private networks, as a local server's have to. Metadata,
    /// link-local and multicast addresses stay closed all the same.
    /// </summary>
    public bool AllowPrivateNetworks { get; init; } = true;

    /// <summary>Networks that deliveries may go to although they are not public.</summary>
    public IReadOnlyList<System.Net.IPNetwork> AllowedNetworks { get; init; } = [];

    /// <summary>
    /// Whether the host of a destination or callback is looked up when it is accepted, and refused when there is no such host
    /// or deliveries may not go to its addresses. At each delivery it is looked at in any case.
    /// </summary>
    public bool ChecksHosts { get; init; } = true;

    /// <summary>
    /// The base URL of the OpenAI-compatible provider of <c>api/llm</c>, such as <c>https://api.openai.com</c>, without
    /// <c>/v1</c>; null when there is none (protocol#llm).
    /// </summary>
    public string? LlmBaseUrl { get; init; }

    /// <summary>The key for that provider. It is added on the way out and stored nowhere.</summary>
    public string? LlmApiKey { get; init; }

    /// <summary>Sent as <c>Upstash-Region</c>: one of the two values receivers know (protocol#delivered-headers).</summary>
    public string Region { get; init; } = "EU-CENTRAL-1";

    /// <summary>How large workflow runs may become.</summary>
    public WorkflowLimits Workflows { get; init; } = new();
}
