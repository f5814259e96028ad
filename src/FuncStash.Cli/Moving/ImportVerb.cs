using System.CommandLine;
using FuncStash.Cli.Verbs;
using FuncStash.Client;

namespace FuncStash.Cli.Moving;

/// <summary><c>import</c>: what is set up on another service, to this one.</summary>
internal static class ImportVerb
{
    public static Verb Of(CommandLine commandLine)
    {
        var applying = new Applying();
        var from = new Option<string?>("--from") { HelpName = "URL", Description = "Where it comes from  [QSTASH_FROM_URL, or QStash itself]" };
        var fromToken = new Option<string?>("--from-token") { HelpName = "TOKEN", Description = "The token there; a read-only one does  [QSTASH_FROM_TOKEN]" };
        return new Verb(
            "import", "Move schedules, URL groups, queues and flow-control pins here, from QStash or another FuncStash. Shows the difference first; safe to repeat. What else is here stays.",
            "QSTASH_FROM_TOKEN=… funcstash import --diff                      # what it would do",
            "QSTASH_FROM_TOKEN=… funcstash import --schedules-paused          # all of it, but no schedule runs yet",
            "funcstash import --from http://other:8080 --from-token … --yes")
            .With(from, fromToken).With(applying.Options)
            .Runs(commandLine, async run =>
            {
                var source = Connection.Resolve(
                    run.Of(from) ?? Given(run.Terminal.Setting("QSTASH_FROM_URL")) ?? QStashClientOptions.DefaultBaseUrl.ToString(),
                    run.Of(fromToken) ?? Given(run.Terminal.Setting("QSTASH_FROM_TOKEN")) ?? throw new UsageException("there is no token for where it comes from: give --from-token, or set QSTASH_FROM_TOKEN"));
                var target = run.Connection.OptionsOf(run.Parsed, run.Terminal.Setting);
                if (source.BaseUrl == target.BaseUrl && source.Token == target.Token)
                    throw new UsageException($"it comes from {source.BaseUrl} and goes there: give --url, or set QSTASH_URL");
                if (!run.Json)
                    run.Terminal.Error.WriteLine($"From {source.BaseUrl} to {target.BaseUrl}");
                var reading = await InventoryReader.ReadAsync(new QStashClient(source), run.Cancellation);
                return await applying.RunAsync(run, new QStashClient(target), reading);
            });
    }

    private static string? Given(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
