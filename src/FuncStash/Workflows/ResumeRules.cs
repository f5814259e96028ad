using FuncStash.Runs;

namespace FuncStash.Workflows;

/// <summary>What a resumed run takes over from the one that failed: pure functions of its entries.</summary>
public static class ResumeRules
{
    /// <summary>
    /// The entries that are taken over: all that the endpoint has seen, and what was asleep. A call, a wait or an invocation
    /// without a result is begun anew by the step that began it.
    /// </summary>
    /// <remarks>What a run that it had invoked came to after the failure takes its place at the end.</remarks>
    public static IReadOnlyList<RunStep> Kept(IReadOnlyCollection<RunStep> steps)
    {
        var next = steps.Max(step => step.Position ?? 0) + 1;
        var placed = steps.Select(step => step is { Key.Kind: StepKind.Result, Position: null, DueAt: null } ? step with { Position = next++ } : step).ToList();
        var results = ResultsOf(placed);
        return [.. placed.Where(step => HistoryRules.IsDelivered(step.Key.Kind) || results.Contains(step.Key.Id))];
    }

    /// <summary>
    /// The entries that are delivered again: branches without a result and what was asleep; with neither, the last one,
    /// after which the run failed. Branches that are done are not (protocol#run-dead-letters).
    /// </summary>
    public static IReadOnlyList<RunStep> Redelivered(IReadOnlyCollection<RunStep> steps)
    {
        var results = ResultsOf(steps);
        var open = steps.Where(step => step.Key.Kind == StepKind.Plan && !results.Contains(step.Key.Id)
            || step is { Key.Kind: StepKind.Result, Position: null, DueAt: not null }).ToList();
        if (open.Count > 0)
            return open;
        return [.. steps.Where(step => step.Position is not null && HistoryRules.IsDelivered(step.Key.Kind)).OrderBy(step => step.Position).TakeLast(1)];
    }

    private static HashSet<int> ResultsOf(IEnumerable<RunStep> steps) =>
        [.. steps.Where(step => step is { Key.Kind: StepKind.Result, Position: not null }).Select(step => step.Key.Id)];
}
