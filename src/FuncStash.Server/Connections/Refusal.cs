using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using FuncStash.Wire;
using Microsoft.AspNetCore.WebUtilities;

namespace FuncStash.Server.Connections;

/// <summary>The answer to a request that Kestrel refuses, byte by byte; the connection ends with it.</summary>
internal static class Refusal
{
    /// <param name="status">The HTTP status.</param>
    /// <param name="text">Why it was refused.</param>
    /// <param name="allowed">The methods that would have been right, where it was the method's fault.</param>
    /// <param name="withBody">False for a HEAD.</param>
    public static byte[] Of(int status, string text, string? allowed, bool withBody)
    {
        var body = ErrorJson.Of(text);
        var head = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {ReasonPhrases.GetReasonPhrase(status)}\r\n")
            .Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\nContent-Type: application/json\r\n")
            .Append(CultureInfo.InvariantCulture, $"Date: {TimeProvider.System.GetUtcNow():R}\r\nConnection: close\r\n");
        if (!string.IsNullOrEmpty(allowed))
            head.Append(CultureInfo.InvariantCulture, $"Allow: {allowed}\r\n");
        if (status == StatusCodes.Status503ServiceUnavailable)
            head.Append("Retry-After: 1\r\n");
        byte[] bytes = [.. Encoding.ASCII.GetBytes(head.Append("\r\n").ToString())];
        return withBody ? [.. bytes, .. body] : bytes;
    }

    /// <summary>
    /// What a client that speaks HTTP/2 without TLS understands: an empty SETTINGS, and a GOAWAY that asks for HTTP/1.1, with the
    /// JSON as its debug data (RFC 9113 §3.4, RFC 9113 §6.8).
    /// </summary>
    public static byte[] ToHttp2()
    {
        const byte Settings = 4, GoAway = 7;
        const uint Http11Required = 13;
        var body = ErrorJson.Of("HTTP/2 is not available here without TLS: use HTTP/1.1");
        var last = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(last.AsSpan(4), Http11Required);
        return [.. Frame(Settings, []), .. Frame(GoAway, [.. last, .. body])];
    }

    private static byte[] Frame(byte type, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, 0, 0, 0, 0, 0, .. payload];
}
