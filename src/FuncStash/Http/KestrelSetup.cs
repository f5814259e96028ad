using FuncStash.Settings;
using FuncStash.Wire;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace FuncStash.Http;

/// <summary>What the API asks of the HTTP server under it, in every host.</summary>
public static class KestrelSetup
{
    /// <summary>The longest request line, in bytes: four times the longest URL, since escapes make it longer.</summary>
    public const int MaxLineBytes = 64 * 1024;

    /// <summary>The most that the headers of a request may have together, in bytes.</summary>
    public const int MaxHeaderBytes = 64 * 1024;

    public const int MaxHeaders = 1000;

    public static void Apply(KestrelServerOptions kestrel, FuncStashOptions options)
    {
        kestrel.AddServerHeader = false;
        // The authority of a target in absolute form counts, whatever Host says (RFC 9112 §3.2.2).
        kestrel.AllowHostHeaderOverride = true;
        kestrel.Limits.MaxRequestBodySize = options.MaxBatchBytes;
        kestrel.Limits.MaxRequestLineSize = MaxLineBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        kestrel.Limits.MaxRequestHeaderCount = MaxHeaders;
        kestrel.RequestHeaderEncodingSelector = static _ => HeaderValue.Bytes;
    }
}
