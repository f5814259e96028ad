using System.CommandLine;
using FuncStash.Cli.Verbs;

namespace FuncStash.Cli.Moving;

/// <summary><c>apply</c>: what a file says, to the service.</summary>
internal static class ApplyVerb
{
    public static Verb Of(CommandLine commandLine)
    {
        var applying = new Applying();
        var file = new Argument<string>("FILE") { Description = "YAML or JSON, as 'export' writes it; - for what is piped in" };
        return new Verb(
            "apply", "Make the service have the schedules, URL groups, queues and flow-control pins of a file. Shows the difference first; safe to repeat. What else is there stays.",
            "funcstash apply funcstash.yaml --diff", "funcstash apply funcstash.yaml --yes", "funcstash export --url … --token … | funcstash apply - --yes")
            .With(file).With(applying.Options)
            .Runs(commandLine, async run =>
            {
                var inventory = InventoryFile.Read(await run.Terminal.ReadAsync(run.Of(file), run.Cancellation));
                return await applying.RunAsync(run, run.Client, new Reading(inventory, []));
            });
    }
}
