using System.Net;
using FuncStash.Azure;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Storage;

namespace FuncStash.Server;

internal static class Startup
{
    private const string Inline = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Whether what follows a socket's event runs on the thread that waits for events.</summary>
    public static bool RunsInline => Environment.GetEnvironmentVariable(Inline) is "1" or "true";

    /// <summary>
    /// Saves a hand-over to another thread at each request and response, unless the environment says otherwise. .NET reads
    /// the setting before the first socket is used.
    /// </summary>
    public static void RunInline()
    {
        if (Environment.GetEnvironmentVariable(Inline) is null)
            Environment.SetEnvironmentVariable(Inline, "1");
    }

    /// <summary>The public development credentials are for this machine only.</summary>
    /// <exception cref="FormatException">When they would be reachable from another one.</exception>
    public static void CheckCredentials(ServerArguments arguments, FuncStashOptions options)
    {
        if (IPAddress.IsLoopback(arguments.Host))
            return;
        if (DevServer.IsUsedBy(options))
        {
            throw new FormatException(
                $"--host {arguments.Host} can be reached from other machines, and the default token and signing keys are public: "
                + "set QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY");
        }
    }

    public static IStore OpenStore(ServerArguments arguments)
    {
        if (arguments.OnAzure)
        {
            return new AzureStore(AzureStoreOptions.FromConfiguration(Environment.GetEnvironmentVariable) with
            {
                OperationPolicy = OtlpExport.IsWanted ? new OperationCounter() : null,
            });
        }
        if (arguments.Data == ":memory:")
            return SqliteStore.Open(":memory:", TimeProvider.System);
        Directory.CreateDirectory(arguments.Data);
        return SqliteStore.Open(Path.Combine(arguments.Data, "funcstash.db"), TimeProvider.System);
    }

    /// <summary>Tells the user what to do next.</summary>
    public static void Print(string url, FuncStashOptions options)
    {
        var token = options.Tokens[0];
        Console.WriteLine($"""
            FuncStash is running at {url}

            QSTASH_URL={url}
            QSTASH_TOKEN={token}
            QSTASH_CURRENT_SIGNING_KEY={options.CurrentSigningKey}
            QSTASH_NEXT_SIGNING_KEY={options.NextSigningKey}

            Publish a message, then see what became of it:

              curl -X POST {url}/v2/publish/https://example.com/ -H "Authorization: Bearer {token}" -d hello
              curl {url}/v2/events -H "Authorization: Bearer {token}"

            Ctrl-C stops the server; messages are kept.
            """);
    }
}
