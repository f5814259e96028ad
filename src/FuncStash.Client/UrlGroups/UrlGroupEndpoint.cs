using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>One destination of a URL group.</summary>
public sealed record UrlGroupEndpoint
{
    /// <summary>An endpoint whose <see cref="Url"/> is set with it.</summary>
    public UrlGroupEndpoint()
    {
    }

    /// <summary>An endpoint.</summary>
    /// <param name="url">Its http or https URL.</param>
    /// <param name="name">Its name in the group; null for none.</param>
    [SetsRequiredMembers]
    public UrlGroupEndpoint(string url, string? name = null) => (Url, Name) = (url, name);

    /// <summary>Its name in the group; null for none.</summary>
    [JsonPropertyOrder(0)]
    public string? Name { get; init; }

    /// <summary>Its http or https URL.</summary>
    [JsonPropertyOrder(1)]
    public required string Url { get; init; }
}
