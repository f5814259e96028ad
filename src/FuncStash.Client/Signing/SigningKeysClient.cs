namespace FuncStash.Client;

/// <summary>The signing keys of the account. Safe for use by many threads.</summary>
public class SigningKeysClient
{
    private readonly Transport _transport;

    internal SigningKeysClient(Transport transport) => _transport = transport;

    /// <summary>For stand-ins in tests, which override what they need.</summary>
    protected SigningKeysClient() => _transport = null!;

    /// <summary>The keys.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The keys.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<SigningKeyPair> GetAsync(CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Get("/v2/keys"), WireJson.Default.SigningKeyPair, cancellationToken);

    /// <summary>
    /// Makes the next key the current one and a new one the next. Receivers that know both go on; they must learn the new
    /// next key before the rotation after this one.
    /// </summary>
    /// <param name="cancellationToken">Ends the call, which is never made again by itself.</param>
    /// <returns>The keys after it.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<SigningKeyPair> RotateAsync(CancellationToken cancellationToken = default) =>
        _transport.SendAsync(new ApiRequest(HttpMethod.Post, "/v2/keys/rotate"), WireJson.Default.SigningKeyPair, cancellationToken);
}
