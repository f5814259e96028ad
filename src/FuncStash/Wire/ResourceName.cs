using System.Buffers;

namespace FuncStash.Wire;

/// <summary>Names of queues, URL groups, schedules and flow-control keys (contract §1.2).</summary>
public static class ResourceName
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxLength = 256;

    /// <summary>The rule in words, for error texts.</summary>
    public static readonly string Rule = $"1 to {MaxLength} letters, digits, dots, hyphens and underscores";

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Whether the text is <c>[A-Za-z0-9._-]+</c>, of at most <see cref="MaxLength"/> characters.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MaxLength && !name.AsSpan().ContainsAnyExcept(Allowed);
}
