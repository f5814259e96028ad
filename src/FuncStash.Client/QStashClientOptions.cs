namespace FuncStash.Client;

/// <summary>Where the service is, who calls it, and how patiently.</summary>
public sealed class QStashClientOptions
{
    /// <summary>Where QStash itself is, in its European region.</summary>
    public static readonly Uri DefaultBaseUrl = new("https://qstash.upstash.io");

    /// <summary>
    /// The service's base URL, without <c>/v2</c>; by default the setting <c>QSTASH_URL</c>, or else
    /// <see cref="DefaultBaseUrl"/>.
    /// </summary>
    public Uri? BaseUrl { get; set; }

    /// <summary>The token the service knows the caller by; by default the setting <c>QSTASH_TOKEN</c>.</summary>
    public string? Token { get; set; }

    /// <summary>How long one attempt of a call may take, its answer read; 100 seconds by default.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>How calls that failed are made again.</summary>
    public QStashRetryOptions Retry { get; set; } = new();
}
