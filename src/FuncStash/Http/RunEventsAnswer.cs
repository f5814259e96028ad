using System.Text.Json;
using FuncStash.RunLogs;
using FuncStash.Runs;

namespace FuncStash.Http;

/// <summary>What happened in a run, as one list, latest first (protocol#run-logs).</summary>
internal static class RunEventsAnswer
{
    public static void Write(Utf8JsonWriter json, RunView view)
    {
        var events = EventsOf(view).OrderByDescending(item => item.Time).ThenByDescending(item => item.Order);
        foreach (var (time, _, state, slot) in events)
        {
            json.WriteStartObject();
            json.WriteNumber("time", time);
            json.WriteString("state", state);
            json.WriteString("workflowRunId", view.Run.Spec.RunId);
            json.WriteString("workflowUrl", view.Run.Spec.Url);
            json.WriteNumber("workflowCreatedAt", view.Run.CreatedAt);
            if (slot is not null)
                Write(json, slot);
            MessageAnswer.WriteLabels(json, view.Run.Spec.Labels);
            json.WriteString("callerIp", view.Run.Spec.CallerIp);
            json.WriteIf("dlqId", state == RunState.Failed.Wire() ? view.Run.Progress.DlqId : null);
            json.WriteEndObject();
        }
    }

    private static IEnumerable<(long Time, int Order, string State, StepSlot? Slot)> EventsOf(RunView view)
    {
        var (run, order) = (view.Run, 0);
        yield return (run.CreatedAt, order++, RunState.Started.Wire(), null);
        foreach (var slot in view.Groups.SelectMany(group => group.Slots))
        {
            if (slot.Begun is { Key.Kind: StepKind.Wait } wait)
                yield return (wait.At, order++, "WAITER_ADDED", slot);
            if (slot.Begun is { Key.Kind: StepKind.Invoke } invoked)
                yield return (invoked.At, order++, "INVOKED", slot);
            if ((slot.Result ?? slot.Begun ?? slot.Plan) is { } entry)
                yield return (entry.At, order++, view.StateOf(slot).Wire(), slot);
            else if (slot.MessageId is { } id && view.Deliveries.GetValueOrDefault(id) is { Message: { } stored })
                yield return (stored.Progress.EndedAt ?? stored.Message.CreatedAt, order++, view.StateOf(slot).Wire(), slot);
        }
        if (run.Progress.EndedAt is { } ended)
            yield return (ended, order, run.Progress.State.Wire(), null);
    }

    private static void Write(Utf8JsonWriter json, StepSlot slot)
    {
        var entry = slot.Result ?? slot.Begun ?? slot.Plan;
        json.WriteStartObject("stepInfo");
        json.WriteIf("stepId", slot.Id);
        json.WriteIf("stepName", slot.Id == 0 ? "init" : slot.Begun?.Detail?.Name);
        json.WriteIf("stepType", slot.Id == 0 ? "Initial" : slot.Begun?.Detail?.Type);
        json.WriteString("callType", "step");
        json.WriteIf("messageId", slot.MessageId ?? entry?.MessageId);
        json.WriteIf("concurrent", entry?.Concurrent);
        json.WriteEndObject();
    }
}
