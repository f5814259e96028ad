using FuncStash.Runs;

namespace FuncStash.RunLogs;

/// <summary>How steps of a run stand to one another.</summary>
public enum GroupKind
{
    Sequential,
    Parallel,

    /// <summary>What the run goes on with, before it is known what step it will be.</summary>
    Next,
}

/// <summary>One step, or what is to become one.</summary>
/// <param name="Id">Its number; null for what comes next.</param>
/// <param name="Result">Its result; null while there is none.</param>
/// <param name="Begun">The call, wait or invocation that it is; null for none.</param>
/// <param name="Plan">Its plan, where it runs side by side with others.</param>
/// <param name="MessageId">The message that tells how far it is; null when its result does.</param>
public sealed record StepSlot(int? Id, RunStep? Result, RunStep? Begun, RunStep? Plan, string? MessageId);

public sealed record StepGroup(GroupKind Kind, IReadOnlyList<StepSlot> Slots);

/// <summary>Puts the entries of a run into the order in which people look at them: a pure function of the entries.</summary>
internal static class RunLayout
{
    public static IReadOnlyList<StepGroup> Of(Run run, IReadOnlyList<RunStep> steps)
    {
        var byId = steps.ToLookup(step => step.Key.Id);
        RunStep? Find(int id, StepKind kind) => byId[id].FirstOrDefault(step => step.Key.Kind == kind);
        var groups = new List<StepGroup>();
        var ids = steps.Where(step => step.Key.Kind is not StepKind.Other).Select(step => step.Key.Id).Distinct().Order().ToList();
        var sleeping = default(RunStep);
        for (var i = 0; i < ids.Count; i++)
        {
            if (Find(ids[i], StepKind.Plan) is { } plan)
            {
                // Its branches have numbers in a row.
                var last = i;
                while (last + 1 < ids.Count && last + 1 - i < plan.Concurrent && Find(ids[last + 1], StepKind.Plan) is not null)
                    last++;
                groups.Add(new StepGroup(GroupKind.Parallel, [.. ids[i..(last + 1)].Select(SlotOf)]));
                i = last;
            }
            else if (SlotOf(ids[i]) is { } slot && (slot.Result is not null || slot.Begun is not null))
            {
                groups.Add(new StepGroup(GroupKind.Sequential, [slot]));
            }
            else
            {
                sleeping = Find(ids[i], StepKind.Result);
            }
        }
        if (NextOf() is { } next)
            groups.Add(new StepGroup(GroupKind.Next, [new StepSlot(null, null, null, null, next)]));
        return groups;

        StepSlot SlotOf(int id)
        {
            var begun = Find(id, StepKind.Call) ?? Find(id, StepKind.Wait) ?? Find(id, StepKind.Invoke);
            var result = Find(id, StepKind.Result);
            // A sleep has its result before it is over; an invocation of a run that is over has one without a place.
            if (result is { Position: null } && begun is null)
                result = null;
            var plan = Find(id, StepKind.Plan);
            var told = begun?.Key.Kind == StepKind.Call ? (Find(id, StepKind.CallResult) ?? begun).MessageId : begun is null ? plan?.MessageId : null;
            return new StepSlot(id, result, begun, plan, result is null ? told : null);
        }

        // Nothing but a step itself, once there is one under way.
        string? NextOf()
        {
            if (run.Progress.State == RunState.Success || groups.Exists(group => group.Slots.Any(slot => slot.Result is null)))
                return null;
            return sleeping?.MessageId
                ?? steps.Where(step => step.Position is not null && step.Key.Kind is StepKind.Result or StepKind.Other or StepKind.Plan)
                    .MaxBy(step => step.Position)?.MessageId;
        }
    }
}
