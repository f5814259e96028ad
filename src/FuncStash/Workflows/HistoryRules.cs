using FuncStash.Runs;

namespace FuncStash.Workflows;

/// <summary>What of a run's entries a delivery carries, and whether it is needed any more: pure functions of the entries.</summary>
public static class HistoryRules
{
    /// <summary>
    /// The history that a delivery carries: what the endpoint submitted, in order, up to the delivery's own entry. Later
    /// ones, of branches that run side by side, are not for it (protocol#run-deliveries).
    /// </summary>
    public static IReadOnlyList<RunStep> Cut(IReadOnlyCollection<RunStep> steps, int position)
    {
        var cut = new List<RunStep>(steps.Count);
        foreach (var step in steps)
        {
            if (step.Position <= position && IsDelivered(step.Key.Kind))
                cut.Add(step);
        }
        cut.Sort(static (one, other) => one.Position!.Value.CompareTo(other.Position!.Value));
        return cut;
    }

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
        var (next, plans) = (0, 0);
        foreach (var step in steps)
        {
            if (!(step.Position <= position))
                continue;
            if (step.Key.Kind == StepKind.Other)
                return false;
            next += step.Key.Kind == StepKind.Result ? 1 : 0;
            plans += step.Key.Kind == StepKind.Plan ? 1 : 0;
        }
        return (plans == 0 || AreClosed(steps, position)) && (Goes(steps, next) || IsPlanned(steps, next));
    }

    // Whether each step that was planned has its result.
    private static bool AreClosed(IReadOnlyCollection<RunStep> steps, int position)
    {
        var seen = steps.Where(step => step.Position <= position).ToList();
        var results = seen.Where(step => step.Key.Kind == StepKind.Result).Select(step => step.Key.Id).ToHashSet();
        return seen.TrueForAll(step => step.Key.Kind != StepKind.Plan || results.Contains(step.Key.Id));
    }

    /// <summary>Whether a step has a result, or is on its way to one.</summary>
    private static bool Goes(IReadOnlyCollection<RunStep> steps, int id)
    {
        foreach (var step in steps)
        {
            if (step.Key.Id == id && (step.Key.Kind is StepKind.Result or StepKind.Call or StepKind.Wait or StepKind.Invoke))
                return true;
        }
        return false;
    }

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
