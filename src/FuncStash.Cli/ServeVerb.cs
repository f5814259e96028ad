using System.CommandLine;
using FuncStash.Cli.Verbs;
using FuncStash.Server;

namespace FuncStash.Cli;

/// <summary><c>serve</c>: the embedded server. It is what the command does without a verb.</summary>
internal static class ServeVerb
{
    private static readonly string[] s_options = ["port", "host", "data", "storage"];

    /// <summary>The server's own arguments when a command line starts one; null when it is about another verb, or asks for help.</summary>
    public static string[]? ArgumentsOf(string[] args) => args switch
    {
        [] => args,
        _ when args.Any(arg => arg is "--help" or "-h" or "-?") => null,
        ["serve", .. var rest] => rest,
        ["dev", ..] => args,
        [var first, ..] when first.StartsWith('-') && s_options.Contains(first.TrimStart('-').Split('=')[0]) => args,
        _ => null,
    };

    public static Verb Of()
    {
        var verb = new Verb(
            "serve", "Start a server: QStash's protocol in one process. Settings are read from the environment, such as QSTASH_TOKEN.",
            "funcstash serve                                   # on http://127.0.0.1:8080, its data in .data",
            "funcstash serve --port 0 --data :memory:          # for a test: any port, nothing kept",
            "QSTASH_TOKEN=… QSTASH_CURRENT_SIGNING_KEY=… QSTASH_NEXT_SIGNING_KEY=… funcstash serve --host 0.0.0.0")
        {
            CallsNoService = true,
        };
        verb.With(
            new Option<string>("--port") { HelpName = "N", Description = "The port, 0 for one the system chooses  [8080; or QSTASH_DEV_PORT]" },
            new Option<string>("--host") { HelpName = "ADDRESS", Description = "The address to listen on  [localhost: 127.0.0.1 and ::1]" },
            new Option<string>("--data") { HelpName = "DIR|:memory:", Description = "Where messages are kept; one process at a time  [.data]" },
            new Option<string>("--storage") { HelpName = "sqlite|azure", Description = "sqlite, or the Azure Storage account of AzureWebJobsStorage  [sqlite]" });
        // Only a command line that has a service's option in front of the verb comes here: the server has no use for it.
        verb.SetAction(parsed => ServerProcess.RunAsync([.. parsed.Tokens.SkipWhile(token => token.Value != "serve").Skip(1).Select(token => token.Value)]));
        return verb;
    }
}
