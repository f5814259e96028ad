using System.Buffers;

namespace FuncStash.Wire;

/// <summary>Names of queues, URL groups, schedules and flow-control keys (protocol#names).</summary>
public static class ResourceName
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxLength = 256;

    /// <summary>The rule in words, for error texts.</summary>
    public static readonly string Rule = $"1 to {MaxLength} letters, digits, dots, hyphens and underscores, not . or ..";

    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>
    /// Whether the text is <c>[A-Za-z0-9._-]+</c>, of at most <see cref="MaxLength"/> characters. Not <c>.</c> or <c>..</c>,
    /// which clients and proxies take out of a path (RFC 3986 §5.2.4), so that nobody could name them.
    /// </summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MaxLength && name is not ("." or "..") && !name.AsSpan().ContainsAnyExcept(s_allowed);
}
