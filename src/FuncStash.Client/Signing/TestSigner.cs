using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FuncStash.Client.Testing;

/// <summary>Signs requests as the service does, for the tests of what receives them. Safe for use by many threads.</summary>
/// <param name="signingKey">The key; give the receiver the same as its current or next one.</param>
/// <param name="time">The clock; the system's when null. With a clock in the past, signatures have expired.</param>
public sealed class TestSigner(string signingKey, TimeProvider? time = null)
{
    /// <summary>How long signatures last: 5 minutes.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly byte[] _key = Encoding.UTF8.GetBytes(signingKey ?? throw new ArgumentNullException(nameof(signingKey)));
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>The value of <c>Upstash-Signature</c> for one request; another one each time.</summary>
    /// <param name="url">The URL that is called.</param>
    /// <param name="body">The body that is sent.</param>
    /// <returns>The token.</returns>
    public string Sign(string url, ReadOnlySpan<byte> body)
    {
        ArgumentException.ThrowIfNullOrEmpty(url);
        var now = _time.GetUtcNow();
        return Token(new SignatureClaims
        {
            Issuer = "Upstash",
            Url = url,
            ExpiresAt = now + Lifetime,
            NotBefore = DateTimeOffset.UnixEpoch,
            IssuedAt = now,
            TokenId = $"jwt_{Guid.NewGuid():N}",
            BodyHash = SignatureClaims.HashOf(body) + "=",
        });
    }

    /// <summary>A token with claims of one's own, to see that a receiver refuses it.</summary>
    /// <param name="claims">The claims; those that are null are left out.</param>
    /// <returns>The token.</returns>
    public string Token(SignatureClaims claims)
    {
        var payload = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(payload, s_json))
            JsonSerializer.Serialize(json, claims, WireJson.Default.SignatureClaims);
        var signed = $"{Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(payload.WrittenSpan)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>A request as the service delivers it, signed.</summary>
    /// <param name="url">The URL that is called.</param>
    /// <param name="body">What it carries.</param>
    /// <param name="options">The method and headers of the delivery; the rest says nothing here.</param>
    /// <returns>The request, ready to be sent to the receiver.</returns>
    public HttpRequestMessage NewRequest(string url, MessageBody? body = null, PublishOptions? options = null)
    {
        var content = new ReadOnlyMemoryContent(body?.Bytes ?? default);
        var request = new HttpRequestMessage(options?.Method ?? HttpMethod.Post, url) { Content = content };
        Add("Upstash-Signature", Sign(url, (body?.Bytes ?? default).Span));
        Add("Upstash-Message-Id", $"msg_{Guid.NewGuid():N}");
        Add("Upstash-Retried", "0");
        Add("User-Agent", "Upstash-QStash");
        foreach (var (name, value) in options?.Headers ?? new Dictionary<string, string>())
            Add(name, value);
        if (body?.ContentType is { } type && content.Headers.ContentType is null)
            Add("Content-Type", type);
        return request;

        void Add(string name, string value)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                content.Headers.TryAddWithoutValidation(name, value);
        }
    }
}
