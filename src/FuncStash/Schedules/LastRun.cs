using FuncStash.Messages;

namespace FuncStash.Schedules;

/// <summary>What became of the messages of a schedule's latest occurrence (protocol#schedule-object).</summary>
public sealed class LastRun(MessageStore messages)
{
    /// <summary><c>IN_PROGRESS</c>, <c>SUCCESS</c> or <c>FAIL</c> for each message that is still there, by id.</summary>
    public async ValueTask<IReadOnlyList<KeyValuePair<string, string>>> StatesAsync(
        Schedule schedule, CancellationToken cancellation = default)
    {
        var states = new List<KeyValuePair<string, string>>(schedule.LastMessages.Count);
        foreach (var id in schedule.LastMessages)
        {
            if (await messages.LookAsync(id, cancellation) is { } stored)
                states.Add(new(id.Text, Wire(stored.Progress.State)));
        }
        return states;
    }

    private static string Wire(MessageState state) => state switch
    {
        MessageState.Delivered => "SUCCESS",
        MessageState.Failed or MessageState.Canceled => "FAIL",
        _ => "IN_PROGRESS",
    };
}
