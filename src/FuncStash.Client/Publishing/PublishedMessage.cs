namespace FuncStash.Client;

/// <summary>A message the service has taken.</summary>
public sealed record PublishedMessage
{
    /// <summary>Its id, such as <c>msg_2kYvXq8fN3bA7rTzC1</c>; of a duplicate, that of the message that was there before.</summary>
    public required string MessageId { get; init; }

    /// <summary>The URL it goes to; QStash tells it only for messages to URL groups.</summary>
    public string? Url { get; init; }

    /// <summary>True when a message with the same deduplication id had been taken before, so that this one was not.</summary>
    public bool Deduplicated { get; init; }
}
