namespace FuncStash.Client;

/// <summary>What a schedule and the messages it makes can be told.</summary>
public sealed class ScheduleOptions : MessageOptions
{
    /// <summary>
    /// The schedule's id: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>. A schedule that has it is replaced; without one the
    /// service makes one up, and the call is not made again when its answer is lost.
    /// </summary>
    public string? ScheduleId { get; set; }

    /// <summary>The queue the messages are put in; null for none.</summary>
    public string? QueueName { get; set; }

    internal override void Write(SettingHeaders headers)
    {
        base.Write(headers);
        headers.Set("Schedule-Id", ScheduleId);
        headers.Set("Queue-Name", QueueName);
    }
}
