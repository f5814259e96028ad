using System.Buffers;

namespace FuncStash.Storage;

/// <summary>What partition and row keys may be, in every store (Azure Table rules).</summary>
public static class EntityKeys
{
    /// <summary>The longest key, in UTF-16 characters: 1 KiB.</summary>
    public const int MaxLength = 512;

    private static readonly SearchValues<char> s_forbidden = SearchValues.Create(
        ['/', '\\', '#', '?', '%', '\x7F', .. Enumerable.Range(0, ' ').Select(code => (char)code)]);

    /// <summary>Whether the text can be a key: none of <c>/ \ # ? %</c>, no control characters, not too long.</summary>
    public static bool IsValid(string key) =>
        key.Length <= MaxLength && !key.AsSpan().ContainsAny(s_forbidden) && !key.AsSpan().ContainsAnyInRange('\x80', '\x9F');

    /// <summary>The key, if it is one.</summary>
    /// <exception cref="ArgumentException">
    /// It cannot be a key. That is a mistake in the service: what callers name is checked where it comes in.
    /// </exception>
    public static string Checked(string key) => IsValid(key)
        ? key
        : throw new ArgumentException(
            $"A key holds no control character, none of / \\ # ? % and at most {MaxLength} characters: '{key[..Math.Min(key.Length, MaxLength)]}'");
}
