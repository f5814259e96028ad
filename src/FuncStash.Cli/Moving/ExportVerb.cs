using System.CommandLine;
using FuncStash.Cli.Terminals;
using FuncStash.Cli.Verbs;

namespace FuncStash.Cli.Moving;

/// <summary><c>export</c>: what is set up on a service, as a file for <c>apply</c>.</summary>
internal static class ExportVerb
{
    public static Verb Of(CommandLine commandLine)
    {
        var output = new Option<string?>("--output", "-o") { HelpName = "FILE", Description = "Write it there; - is the standard output" };
        return new Verb(
            "export", "Write the schedules, URL groups, queues and flow-control pins of the service as YAML, or with --json as JSON, for 'apply'.",
            "funcstash export --output funcstash.yaml", "funcstash export --json | jq .schedules[].cron")
            .With(output)
            .Runs(commandLine, async run =>
            {
                var reading = await InventoryReader.ReadAsync(run.Client, run.Cancellation);
                using var text = new StringWriter();
                if (run.Json)
                    Listing.Json(run.Terminal with { Out = text }, reading.Inventory);
                else
                    await text.WriteAsync(InventoryFile.Write(reading.Inventory));
                await WriteAsync(run, run.Of(output), text.ToString());
                foreach (var left in reading.LeftOut)
                    run.Terminal.Error.WriteLine($"! {left.Kind} {PlainText.Of(left.Name)}: {left.Reason}");
                return reading.LeftOut.Count == 0 ? ExitCode.Done : ExitCode.Incomplete;
            });
    }

    private static async Task WriteAsync(Invocation run, string? file, string text)
    {
        if (file is null or "-")
        {
            await run.Terminal.Out.WriteAsync(text);
            return;
        }

        try
        {
            await File.WriteAllTextAsync(file, text, run.Cancellation);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(error.Message);
        }
    }
}
