using FuncStash.UrlGroups;
using FuncStash.Wire;

namespace FuncStash.Publishing;

/// <summary>Adds endpoints to URL groups and takes them out again (protocol#url-groups).</summary>
public sealed class EndpointChanges(UrlGroupStore groups, PublishCheck check)
{
    /// <summary>Refuses what cannot be the name of a URL group.</summary>
    /// <exception cref="QStashException">400.</exception>
    public static string Checked(string name) => ResourceName.IsValid(name)
        ? name
        : throw QStashException.BadRequest($"invalid topic name: {name}: it is {ResourceName.Rule}");

    /// <summary>An endpoint as it was given; an empty name is none.</summary>
    /// <exception cref="QStashException">400 for what is none.</exception>
    public static Endpoint EndpointOf(string? name, string? url)
    {
        if (name is { Length: > UrlGroup.MaxEndpointName })
            throw QStashException.BadRequest($"endpoints: a name has at most {UrlGroup.MaxEndpointName} characters");
        if (url is null)
            throw QStashException.BadRequest("endpoints: url is missing");
        if (!HttpUrl.IsValid(url, out var error))
            throw QStashException.BadRequest($"endpoints: invalid url {url}: {error}");
        return new Endpoint(name is { Length: > 0 } ? name : null, url);
    }

    /// <summary>Adds endpoints or updates them, and creates the group where there is none.</summary>
    /// <exception cref="QStashException">400 for an endpoint that nothing can be delivered to, 413 for a group too big.</exception>
    public async ValueTask AddAsync(string name, IReadOnlyList<Endpoint> endpoints, CancellationToken cancellation = default)
    {
        Checked(name);
        if (endpoints.Count == 0)
            throw QStashException.BadRequest("endpoints: at least one endpoint is needed");
        foreach (var endpoint in endpoints)
            check.Begin(endpoint.Url);
        foreach (var endpoint in endpoints)
            await check.UrlAsync($"endpoint url {endpoint.Url}", endpoint.Url, resolves: true, cancellation);
        await groups.ChangeAsync(name, old => (old ?? new UrlGroup(name, 0, 0, [])).With(endpoints), cancellation);
    }

    /// <summary>Removes endpoints by name, by URL or by both; with the last one goes the group.</summary>
    /// <returns>False when there is no such group.</returns>
    /// <exception cref="QStashException">400 when one has neither.</exception>
    public async ValueTask<bool> RemoveAsync(
        string name, IReadOnlyList<(string? Name, string? Url)> removed, CancellationToken cancellation = default)
    {
        if (removed.Count == 0 || removed.Any(r => r.Name is null && r.Url is null))
            throw QStashException.BadRequest("endpoints: each endpoint to remove needs a name or a url");
        return await groups.ChangeAsync(Checked(name), old => old?.Without(removed), cancellation);
    }
}
