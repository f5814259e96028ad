using System.Text;
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
        kestrel.RequestHeaderEncodingSelector = static name =>
            name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) ? LengthEncoding.Instance : HeaderValue.Bytes;
    }

    /// <summary>
    /// For Kestrel, which reads a length into 20 characters and refuses one that fills them: of a longer one it gets as many, where
    /// an encoding of the system's throws and the connection ends without an answer.
    /// </summary>
    private sealed class LengthEncoding : Encoding
    {
        public static readonly LengthEncoding Instance = new();

        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars) =>
            HeaderValue.Bytes.GetChars(bytes[..Math.Min(bytes.Length, chars.Length)], chars);

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
            HeaderValue.Bytes.GetChars(bytes, byteIndex, byteCount, chars, charIndex);

        public override int GetCharCount(byte[] bytes, int index, int count) => HeaderValue.Bytes.GetCharCount(bytes, index, count);

        public override int GetByteCount(char[] chars, int index, int count) => HeaderValue.Bytes.GetByteCount(chars, index, count);

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
            HeaderValue.Bytes.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetMaxByteCount(int charCount) => HeaderValue.Bytes.GetMaxByteCount(charCount);

        public override int GetMaxCharCount(int byteCount) => HeaderValue.Bytes.GetMaxCharCount(byteCount);
    }
}
