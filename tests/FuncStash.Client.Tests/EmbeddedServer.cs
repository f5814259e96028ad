[assembly: AssemblyFixture(typeof(FuncStash.Client.Tests.EmbeddedServer))]

namespace FuncStash.Client.Tests;

/// <summary>One embedded server for all tests, which tell their things apart by names.</summary>
public sealed class EmbeddedServer : IAsyncLifetime
{
    private readonly SqliteHost _hosts = new();

    public static string Token => Credentials.Development.Token;

    public static string CurrentKey => Credentials.Development.CurrentSigningKey;

    public static string NextKey => Credentials.Development.NextSigningKey;

    public Uri Url { get; private set; } = null!;

    /// <summary>What a program needs to know to use it.</summary>
    public Dictionary<string, string> Settings => new()
    {
        ["QSTASH_URL"] = Url.ToString(), ["QSTASH_TOKEN"] = Token,
        ["QSTASH_CURRENT_SIGNING_KEY"] = CurrentKey, ["QSTASH_NEXT_SIGNING_KEY"] = NextKey,
    };

    public QStashClient NewClient() => new(new QStashClientOptions { BaseUrl = Url, Token = Token });

    public async ValueTask InitializeAsync() => Url = (await _hosts.SharedAsync()).Url;

    public ValueTask DisposeAsync() => _hosts.DisposeAsync();
}
