using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FuncStash.Settings;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FuncStash.Signing;

/// <summary>Signs deliveries: the JWT of the <c>Upstash-Signature</c> header (protocol#signature). Safe for use by many threads.</summary>
public sealed class Signer(TimeProvider time)
{
    private const int LifetimeSeconds = 300;
    private const string Alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    // Receivers parse the claims as JSON, so URLs need not be escaped for HTML.
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly JsonWebTokenHandler _handler = new();
    private readonly ConcurrentDictionary<string, SigningCredentials> _credentials = new(StringComparer.Ordinal);

    /// <summary>A new signing key: <c>sig_</c> and 28 random alphanumerics.</summary>
    public static string NewKey() => "sig_" + RandomNumberGenerator.GetString(Alphanumerics, 28);

    /// <summary>The token for one attempt, valid for 5 minutes; a new one each time, even for the same arguments.</summary>
    /// <param name="key">The current signing key; its UTF-8 bytes, <c>sig_</c> included, are the secret.</param>
    /// <param name="url">The URL that is called, verbatim.</param>
    /// <param name="body">The body that is sent.</param>
    /// <exception cref="ArgumentException">The key is shorter than <see cref="FuncStashOptions.MinSigningKeyBytes"/>.</exception>
    public string Sign(string key, string url, ReadOnlySpan<byte> body) =>
        _handler.CreateToken(Claims(url, body), _credentials.GetOrAdd(key, Credentials));

    private static SigningCredentials Credentials(string key)
    {
        var secret = Encoding.UTF8.GetBytes(key);
        return secret.Length >= FuncStashOptions.MinSigningKeyBytes
            ? new(new SymmetricSecurityKey(secret), SecurityAlgorithms.HmacSha256)
            : throw new ArgumentException(
                $"A signing key has at least {FuncStashOptions.MinSigningKeyBytes} bytes, this one {secret.Length}.", nameof(key));
    }

    private string Claims(string url, ReadOnlySpan<byte> body)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var claims = new Utf8JsonWriter(buffer, s_json))
        {
            claims.WriteStartObject();
            claims.WriteString("iss", "Upstash");
            claims.WriteString("sub", url);
            claims.WriteNumber("exp", now + LifetimeSeconds);
            // Not the time of signing: a receiver whose clock is behind would refuse the token.
            claims.WriteNumber("nbf", 0);
            claims.WriteNumber("iat", now);
            claims.WriteString("jti", $"jwt_{Guid.NewGuid():N}");
            claims.WriteString("body", BodyHash(body));
            claims.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The body's SHA-256 as base64url, padded as the documentation shows it.</summary>
    private static string BodyHash(ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body, hash);
        return Base64Url.EncodeToString(hash) + "=";
    }
}
