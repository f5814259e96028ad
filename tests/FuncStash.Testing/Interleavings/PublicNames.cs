using System.Net;

namespace FuncStash.Testing;

/// <summary>A resolver that gives every name a public address: tests ask no real one.</summary>
internal static class PublicNames
{
    private static readonly Task<IPAddress[]> s_address = Task.FromResult<IPAddress[]>([IPAddress.Parse("8.8.8.8")]);

    public static Task<IPAddress[]> LookUpAsync(string host) => s_address;
}
