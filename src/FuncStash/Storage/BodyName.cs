using System.Buffers;
using System.Globalization;

namespace FuncStash.Storage;

/// <summary>Names of payloads that lie outside the row they belong to.</summary>
/// <remarks>
/// Each write has a name of its own, and the row that is stored says which one is its payload. So of two that store a row
/// under one id, the payload of the one that came second is never read under the row of the other. What no row names is
/// left over and can go: the sweep of payloads asks the owner that the name tells. A stored name is used as it stands: older
/// ones have no suffix.
/// </remarks>
public static class BodyName
{
    /// <summary>
    /// How long after its put a payload may be without a row that names it. Whoever has not stored the row by then puts the
    /// payload anew, under another name; what has been without one for much longer is nobody's.
    /// </summary>
    public static readonly TimeSpan Unnamed = TimeSpan.FromHours(1);

    private const int SuffixLength = 17;

    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789abcdef");

    /// <summary>A name that no other write has: the owner's, <c>-</c> and 16 random hexadecimal digits.</summary>
    /// <param name="owner">The row it belongs to; letters, digits, <c>-</c> and <c>_</c>.</param>
    public static string New(string owner) =>
        string.Create(CultureInfo.InvariantCulture, $"{owner}-{Random.Shared.NextInt64():x16}");

    /// <summary>The owner that a name tells: all of it where it has no suffix.</summary>
    public static string OwnerOf(string name) =>
        name.Length > SuffixLength && name[^SuffixLength] == '-' && !name.AsSpan(name.Length - SuffixLength + 1).ContainsAnyExcept(s_digits)
            ? name[..^SuffixLength]
            : name;
}
