namespace FuncStash.Client;

/// <summary>What came of publishing: one message, or one for each endpoint of a URL group.</summary>
/// <param name="Messages">The messages, at least one; those of a URL group in the order of its endpoints.</param>
public sealed record PublishResult(IReadOnlyList<PublishedMessage> Messages)
{
    /// <summary>The id of the message; of a URL group's, that of the first.</summary>
    public string MessageId => Messages[0].MessageId;

    /// <summary>True when every message had been taken before; see <see cref="PublishedMessage.Deduplicated"/>.</summary>
    public bool Deduplicated => Messages.All(message => message.Deduplicated);
}
