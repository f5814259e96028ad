namespace FuncStash.Client;

/// <summary>One message of a batch.</summary>
public sealed class BatchMessage
{
    /// <summary>A message to a destination.</summary>
    /// <param name="destination">An http or https URL, or the name of a URL group.</param>
    /// <param name="body">What it carries: UTF-8 text only, since a batch has no place for other bytes.</param>
    /// <param name="options">Its settings.</param>
    public BatchMessage(string destination, MessageBody? body = null, PublishOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(destination);
        (Destination, Body, Options) = (destination, body, options);
    }

    /// <summary>An http or https URL, or the name of a URL group.</summary>
    public string Destination { get; }

    /// <summary>What it carries: UTF-8 text.</summary>
    public MessageBody? Body { get; }

    /// <summary>Its settings.</summary>
    public PublishOptions? Options { get; }

    /// <summary>The queue it is put in; null for none.</summary>
    public string? QueueName { get; init; }
}
