using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>What one call deleted.</summary>
public sealed record DlqDeletion
{
    /// <summary>How many messages were deleted.</summary>
    [JsonRequired]
    public int Deleted { get; init; }

    /// <summary>What goes on with the rest; null when there is none.</summary>
    public string? Cursor { get; init => field = value is { Length: > 0 } ? value : null; }
}
