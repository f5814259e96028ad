using System.Security.Cryptography;
using System.Text;
using FuncStash.Settings;

namespace FuncStash.Access;

public enum AccessLevel
{
    None,
    Read,
    Full,
}

/// <summary>Tells what a token may do (protocol#authentication). Every comparison takes the same time, whatever differs.</summary>
public sealed class TokenCheck(FuncStashOptions options)
{
    // Hashed, so that tokens of any length compare in constant time.
    private readonly byte[][] _full = [.. options.Tokens.Select(Hash)];
    private readonly byte[][] _read = [.. options.ReadOnlyTokens.Select(Hash)];

    public AccessLevel LevelOf(string? token)
    {
        if (string.IsNullOrEmpty(token))
            return AccessLevel.None;
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        return Contains(_full, hash) ? AccessLevel.Full
            : Contains(_read, hash) ? AccessLevel.Read
            : AccessLevel.None;
    }

    private static bool Contains(byte[][] known, ReadOnlySpan<byte> hash)
    {
        var found = false;
        foreach (var candidate in known)
            found |= CryptographicOperations.FixedTimeEquals(candidate, hash);
        return found;
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
