using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>What a signature says; to be believed only when it is valid.</summary>
public sealed record SignatureClaims
{
    /// <summary>Who made it: <c>Upstash</c> (claim <c>iss</c>).</summary>
    [JsonPropertyName("iss")]
    public string? Issuer { get; init; }

    /// <summary>The URL it was made for, as it was published (claim <c>sub</c>).</summary>
    [JsonPropertyName("sub")]
    public string? Url { get; init; }

    /// <summary>When it ends, to the second (claim <c>exp</c>): 5 minutes after it was made.</summary>
    [JsonPropertyName("exp"), JsonConverter(typeof(UnixSecondsConverter))]
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it begins, to the second (claim <c>nbf</c>).</summary>
    [JsonPropertyName("nbf"), JsonConverter(typeof(UnixSecondsConverter))]
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>When it was made, to the second (claim <c>iat</c>).</summary>
    [JsonPropertyName("iat"), JsonConverter(typeof(UnixSecondsConverter))]
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>Its own id, another one for each attempt (claim <c>jti</c>).</summary>
    [JsonPropertyName("jti")]
    public string? TokenId { get; init; }

    /// <summary>The SHA-256 of the body in base64url, padded or not (claim <c>body</c>).</summary>
    [JsonPropertyName("body")]
    public string? BodyHash { get; init; }

    /// <summary>Whether it was made for that body.</summary>
    /// <param name="body">The body as it came, its bytes.</param>
    /// <returns>False also when there is no hash.</returns>
    public bool Covers(ReadOnlySpan<byte> body) =>
        BodyHash is { } hash
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(hash.TrimEnd('=')), Encoding.UTF8.GetBytes(HashOf(body)));

    /// <summary>A body's hash, without padding.</summary>
    internal static string HashOf(ReadOnlySpan<byte> body) => Base64Url.EncodeToString(SHA256.HashData(body));
}
