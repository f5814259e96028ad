using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>A queue: its messages start in order, so many at a time as its parallelism says.</summary>
public sealed record QStashQueue
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>How many of its messages are delivered at a time.</summary>
    public int Parallelism { get; init; }

    /// <summary>Whether it takes messages but delivers none.</summary>
    [JsonPropertyName("paused")]
    public bool IsPaused { get; init; }

    /// <summary>How many messages have not ended.</summary>
    public int Lag { get; init; }

    /// <summary>When it was created.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset UpdatedAt { get; init; }
}
