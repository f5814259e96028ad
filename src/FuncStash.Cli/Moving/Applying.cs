using System.CommandLine;
using FuncStash.Cli.Terminals;
using FuncStash.Cli.Verbs;
using FuncStash.Client;

namespace FuncStash.Cli.Moving;

/// <summary>What <c>import</c> and <c>apply</c> have in common: show the difference, ask, do it.</summary>
internal sealed class Applying
{
    private readonly Option<bool> _diff = new("--diff") { Description = "Only show the difference; exit code 5 when there is one" };
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask" };
    private readonly Option<bool> _paused = new("--schedules-paused") { Description = "Make every schedule a paused one: they run once it is said again without this" };
    private readonly Option<int> _together = WholeNumbers.Option("--together", "How many calls at a time", without: 8, least: 1);

    public Option[] Options => [_diff, _yes, _paused, _together];

    /// <summary>Makes a service have all of an inventory.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(Invocation run, QStashClient client, Reading wanted)
    {
        var inventory = run.Of(_paused) ? wanted.Inventory with { Schedules = [.. wanted.Inventory.Schedules.Select(s => s with { Paused = true })] } : wanted.Inventory;
        var actual = await InventoryReader.ReadAsync(client, run.Cancellation);
        // What hides its values there cannot be compared, and made again it would hide them no more.
        var hidden = actual.LeftOut.Select(left => left.Name).ToHashSet(StringComparer.Ordinal);
        var kept = inventory.Schedules.Where(s => hidden.Contains(s.Id)).Select(s => new LeftOut("schedule", s.Id, "the one that is there has redacted values: it stays as it is"));
        inventory = inventory with { Schedules = [.. inventory.Schedules.Where(s => !hidden.Contains(s.Id))] };
        var leftOut = wanted.LeftOut.Concat(kept).ToList();
        var difference = Difference.Between(inventory, actual.Inventory);

        Report.Tell(run, difference, leftOut);
        if (run.Of(_diff))
            return difference.Changes.Count > 0 ? ExitCode.Different : Ended(leftOut);
        if (difference.Changes.Count == 0)
            return Ended(leftOut);
        if (!run.Of(_yes) && !await run.Terminal.ConfirmAsync($"Make {Report.Count(difference.Changes.Count, "change")}?", run.Cancellation))
            return ExitCode.Interrupted;
        var failures = await MakeAsync(run, client, difference.Changes);
        Report.TellEnd(run, difference.Changes.Count, failures);
        return failures == 0 ? Ended(leftOut) : ExitCode.Incomplete;
    }

    private static int Ended(List<LeftOut> leftOut) => leftOut.Count == 0 ? ExitCode.Done : ExitCode.Incomplete;

    private async Task<int> MakeAsync(Invocation run, QStashClient client, IReadOnlyList<Change> changes)
    {
        var failures = 0;
        await run.Terminal.ProgressAsync("Changing", changes.Count, async step =>
        {
            var told = new Lock();
            // Kind after kind: a schedule may name a URL group.
            foreach (var kind in changes.GroupBy(change => change.Kind))
            {
                await Parallel.ForEachAsync(
                    kind, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, run.Of(_together)), CancellationToken = run.Cancellation },
                    async (change, cancellation) =>
                    {
                        Exception? failure = null;
                        try
                        {
                            await change.ApplyAsync(client, cancellation);
                        }
                        catch (Exception error) when (error is QStashRequestException or ArgumentException)
                        {
                            failure = error;
                        }

                        lock (told)
                        {
                            step(1);
                            if (failure is null)
                                return;
                            failures++;
                            run.Terminal.Error.WriteLine($"funcstash: {change.Kind} {PlainText.Of(change.Name)}: {PlainText.Of(Failure.Text(failure))}");
                        }
                    });
            }
        });
        return failures;
    }
}
