using FuncStash.Wire;

namespace FuncStash.UrlGroups;

/// <summary>One place a URL group fans out to.</summary>
public sealed record Endpoint(string? Name, string Url);

/// <summary>A URL group (topic): what is published to it goes to each of its endpoints (protocol#url-groups).</summary>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="UpdatedAt">Unix milliseconds.</param>
public sealed record UrlGroup(string Name, long CreatedAt, long UpdatedAt, IReadOnlyList<Endpoint> Endpoints)
{
    /// <summary>
    /// The most endpoints, and the most that they and the settings may take as they are stored, in bytes: a schedule's row
    /// names the messages of an occurrence, and a store's record has a limit.
    /// </summary>
    public const int MaxEndpoints = 2_000, MaxBytes = 384 * 1024;

    /// <summary>The longest name of an endpoint, in characters.</summary>
    public const int MaxEndpointName = 256;

    /// <summary>Publish settings of every publish to the group; the request's own are stronger.</summary>
    public HeaderMap Headers { get; init; } = HeaderMap.Empty;

    /// <summary>Adds endpoints, or replaces those of the same identity: the name where there is one, else the URL.</summary>
    public UrlGroup With(IEnumerable<Endpoint> added)
    {
        var endpoints = Endpoints.ToList();
        foreach (var endpoint in added)
        {
            var index = endpoints.FindIndex(e => endpoint.Name is null ? e.Url == endpoint.Url : e.Name == endpoint.Name);
            // An unnamed endpoint that now gets a name stays one endpoint.
            if (index < 0 && endpoint.Name is not null)
                index = endpoints.FindIndex(e => e.Name is null && e.Url == endpoint.Url);
            if (index < 0)
                endpoints.Add(endpoint);
            else
                endpoints[index] = endpoint with { Name = endpoint.Name ?? endpoints[index].Name };
        }
        return this with { Endpoints = endpoints };
    }

    /// <summary>Removes the endpoints that match one of these by name or by URL.</summary>
    public UrlGroup Without(IReadOnlyCollection<(string? Name, string? Url)> removed) => this with
    {
        Endpoints =
        [
            .. Endpoints.Where(e => !removed.Any(r =>
                (r.Name is null || r.Name == e.Name) && (r.Url is null || r.Url == e.Url) && (r.Name ?? r.Url) is not null)),
        ],
    };
}
