using System.Text.Json;

namespace FuncStash.Client;

/// <summary>URL groups: one publish to many URLs. Safe for use by many threads.</summary>
public class UrlGroupsClient
{
    private const string Path = "/v2/topics";
    private readonly Transport _transport;

    internal UrlGroupsClient(Transport transport) => _transport = transport;

    /// <summary>For stand-ins in tests, which override what they need.</summary>
    protected UrlGroupsClient() => _transport = null!;

    /// <summary>Adds endpoints to a group, or changes those of the same name; the group is made when there is none.</summary>
    /// <param name="name">The group's name: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</param>
    /// <param name="endpoints">The endpoints, at least one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when they are there.</returns>
    /// <exception cref="QStashRequestException">400 for a name or URL that cannot be.</exception>
    public virtual Task AddEndpointsAsync(
        string name, IEnumerable<UrlGroupEndpoint> endpoints, CancellationToken cancellationToken = default) =>
        ChangeAsync(HttpMethod.Post, name, new([.. endpoints.Select(e => new EndpointChange(e.Name, e.Url))]), cancellationToken);

    /// <summary>Removes endpoints from a group; with the last one the group goes.</summary>
    /// <param name="name">The group's name.</param>
    /// <param name="urls">The URLs of endpoints.</param>
    /// <param name="names">The names of endpoints.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when they are gone.</returns>
    /// <exception cref="QStashRequestException">404 when there is no such group.</exception>
    public virtual Task RemoveEndpointsAsync(
        string name, IEnumerable<string>? urls = null, IEnumerable<string>? names = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(
            HttpMethod.Delete, name,
            new([.. (urls ?? []).Select(url => new EndpointChange(null, url)), .. (names ?? []).Select(n => new EndpointChange(n, null))]),
            cancellationToken);

    /// <summary>Sets the headers every publish to the group has, unless it brings them itself, in place of those before.</summary>
    /// <param name="name">The group's name.</param>
    /// <param name="headers">Publish headers by their whole names, such as <c>Upstash-Retries</c> or <c>Upstash-Forward-X-Tenant</c>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when they are set.</returns>
    /// <exception cref="QStashRequestException">404 when there is no such group, 400 for settings that cannot be.</exception>
    public virtual Task SetHeadersAsync(
        string name, IReadOnlyDictionary<string, string> headers, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(headers);
        var json = JsonSerializer.SerializeToUtf8Bytes(new GroupHeaders(new Dictionary<string, string>(headers)), WireJson.Default.GroupHeaders);
        return _transport.SendAsync(ApiRequest.Json(HttpMethod.Patch, Of(name), json), cancellationToken);
    }

    /// <summary>All groups.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The groups.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<IReadOnlyList<UrlGroup>> ListAsync(CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Get(Path), WireJson.Default.IReadOnlyListUrlGroup, cancellationToken);

    /// <summary>One group.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The group.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual Task<UrlGroup> GetAsync(string name, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Get(Of(name)), WireJson.Default.UrlGroup, cancellationToken);

    /// <summary>Deletes a group; when there is none, that is well too. Messages on their way stay.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is gone.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task DeleteAsync(string name, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Set(HttpMethod.Delete, Of(name)), cancellationToken);

    private Task ChangeAsync(HttpMethod method, string name, EndpointsChange change, CancellationToken cancellation)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(change, WireJson.Default.EndpointsChange);
        // Removed twice, the group may be gone the second time.
        return _transport.SendAsync(
            ApiRequest.Json(method, Of(name, "endpoints"), json) with { Repeatable = method == HttpMethod.Post }, cancellation);
    }

    private static string Of(string name, string? end = null) => RequestPath.Of(Path + "/", name, end);
}

internal sealed record EndpointChange(string? Name, string? Url);

internal sealed record EndpointsChange(IReadOnlyList<EndpointChange> Endpoints);

internal sealed record GroupHeaders(IReadOnlyDictionary<string, string> Headers);
