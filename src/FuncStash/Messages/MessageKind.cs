namespace FuncStash.Messages;

/// <summary>What kind of message it is to whoever counts them: one of a few words, none that users choose.</summary>
internal static class MessageKind
{
    public static string Kind(this Message message) =>
        message.Run is not null ? "workflow"
        : message.CallbackOf is not null ? "callback"
        : message.ScheduleId is not null ? "schedule"
        : message.QueueName is not null ? "queue"
        : message.TopicName is not null ? "topic"
        : "url";
}
