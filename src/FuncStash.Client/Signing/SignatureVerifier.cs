using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FuncStash.Client;

/// <summary>
/// Tells whether a request comes from the service: by the token in its <c>Upstash-Signature</c> header. Safe for use by
/// many threads.
/// </summary>
/// <remarks>
/// For ASP.NET Core the package FuncStash.AspNetCore does this with <c>RequireQStashSignature()</c>. A valid signature
/// says who sent what where; it can be sent again, the same request, until it expires.
/// </remarks>
public sealed class SignatureVerifier
{
    private readonly byte[] _current;
    private readonly byte[]? _next;

    /// <summary>A verifier with its keys.</summary>
    /// <param name="currentSigningKey">The current signing key, <c>sig_</c> included.</param>
    /// <param name="nextSigningKey">The next signing key, accepted too, so that the keys can be rotated; null for none.</param>
    public SignatureVerifier(string currentSigningKey, string? nextSigningKey = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(currentSigningKey);
        _current = Encoding.UTF8.GetBytes(currentSigningKey);
        _next = nextSigningKey is { Length: > 0 } ? Encoding.UTF8.GetBytes(nextSigningKey) : null;
    }

    /// <summary>How far the sender's clock may be ahead or behind; nothing by default, as the official SDKs have it.</summary>
    public TimeSpan ClockSkew { get; init; }

    /// <summary>The receiver's clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>A verifier with the keys <c>QSTASH_CURRENT_SIGNING_KEY</c> and <c>QSTASH_NEXT_SIGNING_KEY</c> of the environment.</summary>
    /// <returns>The verifier.</returns>
    /// <exception cref="InvalidOperationException">There is no current key.</exception>
    public static SignatureVerifier FromEnvironment() => new(
        Environment.GetEnvironmentVariable("QSTASH_CURRENT_SIGNING_KEY") is { Length: > 0 } key ? key
            : throw new InvalidOperationException("No signing key: set QSTASH_CURRENT_SIGNING_KEY."),
        Environment.GetEnvironmentVariable("QSTASH_NEXT_SIGNING_KEY"));

    /// <summary>Looks at all of a signature.</summary>
    /// <param name="signature">The <c>Upstash-Signature</c> header; null when there is none.</param>
    /// <param name="body">The body as it came, its bytes.</param>
    /// <param name="url">
    /// The URL that was called, as the outside knows it; null to leave it unlooked at, which lets one endpoint's requests
    /// be sent to another. It need not be written as it was published, only mean the same (RFC 3986 §6.2.2, RFC 3986 §6.2.3).
    /// </param>
    /// <returns>What is wrong with it, if anything.</returns>
    public SignatureVerification Verify(string? signature, ReadOnlySpan<byte> body, string? url)
    {
        var result = VerifyClaims(signature, url);
        return result.Claims?.Covers(body) == false ? result.With(SignatureProblem.Body) : result;
    }

    /// <summary>
    /// Looks at all of a signature but the body, so that one which is no good costs no reading of it. When nothing is wrong,
    /// <see cref="SignatureClaims.Covers"/> tells the rest.
    /// </summary>
    /// <param name="signature">The <c>Upstash-Signature</c> header; null when there is none.</param>
    /// <param name="url">The URL that was called, as in <see cref="Verify"/>.</param>
    /// <returns>What is wrong with it, if anything.</returns>
    public SignatureVerification VerifyClaims(string? signature, string? url)
    {
        if (string.IsNullOrWhiteSpace(signature))
            return new() { Problems = [SignatureProblem.Missing] };
        if (Parse(signature.Trim()) is not var (signed, mac, claims))
            return new() { Problems = [SignatureProblem.Malformed] };
        var (byCurrent, byNext) = (IsMadeWith(_current, signed, mac), _next is not null && IsMadeWith(_next, signed, mac));
        return new SignatureVerification
        {
            Claims = claims,
            UsesNextKey = byNext && !byCurrent,
            Problems = [.. (byCurrent || byNext ? [] : (SignatureProblem[])[SignatureProblem.Key]), .. ProblemsOf(claims, url)],
        };
    }

    private IEnumerable<SignatureProblem> ProblemsOf(SignatureClaims claims, string? url)
    {
        var now = TimeProvider.GetUtcNow();
        if (claims.Issuer != "Upstash")
            yield return SignatureProblem.Issuer;
        if (url is not null && !(claims.Url is { } made && SignedUrl.IsSame(made, url)))
            yield return SignatureProblem.Url;
        // RFC 7519 §4.1.4: not accepted on or after that time.
        if (claims.ExpiresAt is not { } end || now >= end + ClockSkew)
            yield return SignatureProblem.Expired;
        if (claims.NotBefore is { } start && now < start - ClockSkew)
            yield return SignatureProblem.NotYetValid;
    }

    private static bool IsMadeWith(byte[] key, byte[] signed, byte[] mac) =>
        CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key, signed), mac);

    // The algorithm is what the token says only if it says HS256: one that names another, or none, was not made by the service.
    private static (byte[] Signed, byte[] Mac, SignatureClaims Claims)? Parse(string token)
    {
        if (token.Split('.') is not [var header, var payload, var mac])
            return null;
        try
        {
            using var head = JsonDocument.Parse(Base64Url.DecodeFromChars(header));
            return head.RootElement.TryGetProperty("alg", out var algorithm) && algorithm.ValueEquals("HS256")
                && JsonSerializer.Deserialize(Base64Url.DecodeFromChars(payload), WireJson.Default.SignatureClaims) is { } claims
                    ? (Encoding.ASCII.GetBytes($"{header}.{payload}"), Base64Url.DecodeFromChars(mac), claims)
                    : null;
        }
        catch (Exception wrong) when (wrong is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
