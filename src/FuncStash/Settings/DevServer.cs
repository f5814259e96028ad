using System.Collections.Frozen;

namespace FuncStash.Settings;

/// <summary>
/// The public credentials of the official development server (protocol#development-server): fit for tests only, since everybody knows them.
/// The server starts with those of its default user.
/// </summary>
public static class DevServer
{
    public const string Token = "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=";
    public const string CurrentSigningKey = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r";
    public const string NextSigningKey = "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs";

    /// <summary>The web origin whose pages may use a development server from the browser.</summary>
    public const string ConsoleOrigin = "https://console.upstash.com";

    private static readonly FrozenSet<string> s_public = FrozenSet.Create(
        StringComparer.Ordinal,
        Token, CurrentSigningKey, NextSigningKey,
        "eyJVc2VySUQiOiJ0ZXN0VXNlcjEiLCJQYXNzd29yZCI6InRlc3RQYXNzd29yZCJ9",
        "sig_7GVPjvuwsfqF65iC8fSrs1dfYruM", "sig_5NoELc3EFnZn4DVS5bDs2Nk4b7Ua",
        "eyJVc2VySUQiOiJ0ZXN0VXNlcjIiLCJQYXNzd29yZCI6InRlc3RQYXNzd29yZCJ9",
        "sig_6jWGaWRxHsw4vMSPJprXadyvrybF", "sig_7qHbvhmahe5GwfePDiS5Lg3pi6Qx",
        "eyJVc2VySUQiOiJ0ZXN0VXNlcjMiLCJQYXNzd29yZCI6InRlc3RQYXNzd29yZCJ9",
        "sig_5T8FcSsynBjn9mMLBsXhpacRovJf", "sig_7GFR4YaDshFcqsxWRZpRB161jguD");

    /// <summary>Whether a token or signing key is one that everybody knows.</summary>
    public static bool IsPublic(string credential) => s_public.Contains(credential);

    /// <summary>True when any of them would let a stranger in, or sign for one.</summary>
    public static bool IsUsedBy(FuncStashOptions options) =>
        options.Tokens.Concat(options.ReadOnlyTokens).Append(options.CurrentSigningKey).Append(options.NextSigningKey).Any(IsPublic);
}
