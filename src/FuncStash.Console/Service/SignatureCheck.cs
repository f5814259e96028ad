using FuncStash.Client;
using FuncStash.Signing;

namespace FuncStash.Console.Service;

/// <summary>Looks at a signature as a receiver would that has the keys of this service.</summary>
public sealed class SignatureCheck(SigningKeys keys, TimeProvider time)
{
    /// <param name="signature">The <c>Upstash-Signature</c>.</param>
    /// <param name="body">The body that came with it.</param>
    /// <param name="url">The URL that was called; null or empty to leave it unlooked at.</param>
    /// <param name="cancellation">Stops the look.</param>
    public async ValueTask<SignatureVerification> CheckAsync(string? signature, byte[] body, string? url, CancellationToken cancellation)
    {
        var pair = await keys.GetAsync(cancellation);
        return new SignatureVerifier(pair.Current, pair.Next) { TimeProvider = time }.Verify(signature, body, string.IsNullOrEmpty(url) ? null : url);
    }
}
