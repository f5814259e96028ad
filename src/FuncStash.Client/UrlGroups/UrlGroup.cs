using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>A URL group: what is published to it goes to each of its endpoints.</summary>
public sealed record UrlGroup
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its endpoints, in the order they were added.</summary>
    public required IReadOnlyList<UrlGroupEndpoint> Endpoints { get; init; }

    /// <summary>When it was created.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset UpdatedAt { get; init; }
}
