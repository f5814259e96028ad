namespace FuncStash.AspNetCore;

/// <summary>
/// What an endpoint asks of a signature. Set for all with <c>services.Configure&lt;QStashSignatureOptions&gt;(…)</c>, for one
/// with <c>RequireQStashSignature(…)</c>.
/// </summary>
public sealed class QStashSignatureOptions
{
    /// <summary>The current signing key; by default the setting <c>QSTASH_CURRENT_SIGNING_KEY</c> of the configuration, which the environment is part of.</summary>
    public string? CurrentSigningKey { get; set; }

    /// <summary>The next signing key, accepted too, so that the keys can be rotated; by default the setting <c>QSTASH_NEXT_SIGNING_KEY</c>.</summary>
    public string? NextSigningKey { get; set; }

    /// <summary>
    /// The longest body, in bytes; 10 MiB by default, which holds the callback about a message and an answer of the service's
    /// default limit. It takes the place of the server's own limit. A longer body is answered 413.
    /// </summary>
    public long MaxBodyBytes { get; set; } = 10 * 1024 * 1024;

    /// <summary>How far the sender's clock may be ahead or behind, to the second; nothing by default.</summary>
    public TimeSpan ClockSkew { get; set; }

    /// <summary>
    /// Whether the signature must have been made for the URL that was called; true by default. Without it, a request to one
    /// endpoint can be sent to another that knows the same keys.
    /// </summary>
    public bool CheckUrl { get; set; } = true;

    /// <summary>
    /// What stands before path and query in the URLs that are published, such as <c>https://api.example.com</c>: for an app behind
    /// a proxy that changes scheme or host without <c>X-Forwarded-</c> headers the app heeds, or that takes a prefix off the path
    /// (then <c>https://api.example.com/prefix</c>). Null for scheme and host of the request itself,
    /// which its sender writes: where apps share keys, set this or limit the hosts (<c>AllowedHosts</c>).
    /// </summary>
    public Uri? PublicBaseUrl { get; set; }

    internal QStashSignatureOptions Copy() => (QStashSignatureOptions)MemberwiseClone();
}
