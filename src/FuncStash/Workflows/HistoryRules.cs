using FuncStash.Runs;

namespace FuncStash.Workflows;

/// <summary>What of a run's entries a delivery carries, and whether it is needed any more: pure functions of the entries.</summary>
public static class HistoryRules
{
    /// <summary>
    /// The history that a delivery carries: what the endpoint submitted, in order, up to the delivery's own entry. Later
    /// ones, of branches that run side by side, are not for it (protocol#run-deliveries).
    /// </summary>
    public static IReadOnlyList<RunStep> Cut(IEnumerable<RunStep> steps, int position) =>
        [.. steps.Where(step => step.Position <= position && IsDelivered(step.Key.Kind)).OrderBy(step => step.Position)];

    /// <summary>Whether entries of a kind are what the endpoint submitted as steps.</summary>
    public static bool IsDelivered(StepKind kind) => kind is StepKind.Result or StepKind.Plan or StepKind.Other;

    /// <summary>
    /// Whether what a delivery is for has been done: the endpoint has submitted what follows from it, though the answer to
    /// the delivery was lost. To deliver it again would run a step again whose result is there.
    /// </summary>
    /// <remarks>
    /// The SDK numbers steps in the order in which the workflow comes to them, so the history tells which step it comes to
    /// next. While branches are open the delivery of another one's result does nothing.
    /// </remarks>
    /// <param name="steps">All entries of the run.</param>
    /// <param name="own">The delivery's own entry.</param>
    public static bool IsDone(IReadOnlyCollection<RunStep> steps, RunStep own)
    {
        if (own.Position is not { } position)
            return false;
        if (own.Key.Kind == StepKind.Plan)
            return Goes(steps, own.Key.Id);
        if (own.Key.Kind != StepKind.Result)
            return false;
        var seen = steps.Where(step => step.Position <= position).ToList();
        var results = seen.Where(step => step.Key.Kind == StepKind.Result).Select(step => step.Key.Id).ToHashSet();
        if (seen.Any(step => step.Key.Kind == StepKind.Other) || seen.Any(step => step.Key.Kind == StepKind.Plan && !results.Contains(step.Key.Id)))
            return false;
        var next = results.Count;
        return Goes(steps, next) || IsPlanned(steps, next);
    }

    /// <summary>Whether a step has a result, or is on its way to one.</summary>
    private static bool Goes(IEnumerable<RunStep> steps, int id) =>
        steps.Any(step => step.Key.Id == id && (step.Key.Kind is StepKind.Result or StepKind.Call or StepKind.Wait or StepKind.Invoke));

    // All of them: of a plan that was stored in part, the rest is still to come.
    private static bool IsPlanned(IReadOnlyCollection<RunStep> steps, int first)
    {
        var plan = steps.FirstOrDefault(step => step.Key == new StepKey(first, StepKind.Plan));
        if (plan is null)
            return false;
        var planned = steps.Where(step => step.Key.Kind == StepKind.Plan).Select(step => step.Key.Id).ToHashSet();
        return Enumerable.Range(first, plan.Concurrent).All(planned.Contains);
    }
}
