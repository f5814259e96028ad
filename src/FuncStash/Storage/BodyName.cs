using System.Globalization;

namespace FuncStash.Storage;

/// <summary>Names of payloads that lie outside the row they belong to.</summary>
/// <remarks>
/// Each write has a name of its own, and the row that is stored says which one is its payload. So of two that store a row
/// under one id, the payload of the one that came second is never read under the row of the other. What no row names is
/// left over and can go. A stored name is used as it stands: older ones have no suffix.
/// </remarks>
public static class BodyName
{
    /// <summary>A name that no other write has: the owner's, <c>-</c> and 16 random hexadecimal digits.</summary>
    /// <param name="owner">The row it belongs to; letters, digits, <c>-</c> and <c>_</c>.</param>
    public static string New(string owner) =>
        string.Create(CultureInfo.InvariantCulture, $"{owner}-{Random.Shared.NextInt64():x16}");
}
