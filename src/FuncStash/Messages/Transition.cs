using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>A step in the life of a message: what it becomes, what the log says of it, what follows from it.</summary>
public sealed record Transition(Progress After, IReadOnlyList<LogEvent> Events)
{
    /// <summary>Messages that this step causes (callbacks); their ids are followers of the message's.</summary>
    public IReadOnlyList<Message> Followers { get; init; } = [];

    /// <summary>Writes to other rows of the message's partition, of the run that it is a part of.</summary>
    public IReadOnlyList<Write> With { get; init; } = [];

    /// <summary>Work-queue messages to send with the step.</summary>
    public IReadOnlyList<Send> Sends { get; init; } = [];

    /// <summary>A commit to another partition that belongs to the step, such as the dead letter.</summary>
    public Commit? Also { get; init; }
}
