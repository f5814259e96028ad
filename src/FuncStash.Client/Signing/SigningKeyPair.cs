namespace FuncStash.Client;

/// <summary>The keys deliveries are signed with.</summary>
public sealed record SigningKeyPair
{
    /// <summary>The key deliveries are signed with now.</summary>
    public required string Current { get; init; }

    /// <summary>The key that is the current one after the next rotation.</summary>
    public required string Next { get; init; }
}
