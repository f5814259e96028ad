namespace FuncStash.Client;

/// <summary>What a published or enqueued message can be told.</summary>
public sealed class PublishOptions : MessageOptions
{
    /// <summary>The time before which the message is not delivered, in whole seconds; it goes before <see cref="DeliveryOptions.Delay"/>.</summary>
    public DateTimeOffset? NotBefore { get; set; }

    /// <summary>
    /// A name for the message, without colons: the service takes one message of a name in 10 minutes. Without one the
    /// client makes one up, so that it can publish again after a failure; see <see cref="QStashRetryOptions"/>.
    /// </summary>
    public string? DeduplicationId { get; set; }

    /// <summary>Whether the service makes the name of destination, body and headers, so that equal messages are one in 10 minutes.</summary>
    public bool ContentBasedDeduplication { get; set; }

    internal override void Write(SettingHeaders headers)
    {
        base.Write(headers);
        headers.Set("Not-Before", DurationText.UnixSeconds(NotBefore));
        headers.Set("Deduplication-Id", DeduplicationId);
        if (ContentBasedDeduplication)
            headers.Set("Content-Based-Deduplication", "true");
    }
}
