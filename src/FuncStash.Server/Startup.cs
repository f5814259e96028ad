using FuncStash.Azure;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Storage;

namespace FuncStash.Server;

internal static class Startup
{
    private const int MinTokenLength = 16;

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
        if (!arguments.IsLocal && DevServer.IsUsedBy(options))
        {
            throw new FormatException(
                $"--host {arguments.Hosts[0]} can be reached from other machines, and the default token and signing keys are public: "
                + "set QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY");
        }
        if (!arguments.IsLocal && options.Tokens.Concat(options.ReadOnlyTokens).Any(token => token.Length < MinTokenLength))
        {
            throw new FormatException(
                $"--host {arguments.Hosts[0]} can be reached from other machines: a token in QSTASH_TOKEN or QSTASH_READONLY_TOKEN "
                + $"has fewer than {MinTokenLength} characters, and could be guessed");
        }
    }

    public static IStore OpenStore(ServerArguments arguments, FuncStashOptions options, FileShares shares)
    {
        if (arguments.OnAzure)
        {
            return new AzureStore(AzureStoreOptions.FromConfiguration(Environment.GetEnvironmentVariable) with
            {
                OperationPolicy = OtlpExport.IsWanted ? new OperationCounter() : null,
                MaxConnections = shares.Storage,
                Spread = new QueueSpread(WorkItem.Queue, options.WorkQueues),
            });
        }
        if (arguments.Data == ":memory:")
            return SqliteStore.Open(":memory:", TimeProvider.System);
        try
        {
            Directory.CreateDirectory(arguments.Data);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"--data {arguments.Data}: {error.Message}", error);
        }
        return SqliteStore.Open(Path.Combine(arguments.Data, "funcstash.db"), TimeProvider.System);
    }

    /// <summary>Tells the user something. Where nothing can be written, by a full disk for instance, the server runs all the same.</summary>
    public static void Say(string text)
    {
        try
        {
            System.Console.WriteLine(text);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Tells the user what to do next. A credential that is not public is not shown: output ends up in logs.</summary>
    public static string Greeting(string url, FuncStashOptions options)
    {
        var token = DevServer.IsPublic(options.Tokens[0]) ? options.Tokens[0] : "$QSTASH_TOKEN";
        return $"""
            Console: {url}/console

            FuncStash is running at {url}

            QSTASH_URL={url}
            {Shown("QSTASH_TOKEN", options.Tokens[0])}
            {Shown("QSTASH_CURRENT_SIGNING_KEY", options.CurrentSigningKey)}
            {Shown("QSTASH_NEXT_SIGNING_KEY", options.NextSigningKey)}

            Publish a message, then see in the console what became of it, or here:

              curl -X POST {url}/v2/publish/https://example.com/ -H "Authorization: Bearer {token}" -d hello
              curl {url}/v2/events -H "Authorization: Bearer {token}"

            Ctrl-C stops the server; messages are kept.
            """;
    }

    private static string Shown(string name, string value) => DevServer.IsPublic(value) ? $"{name}={value}" : $"{name} is the one you set";
}
