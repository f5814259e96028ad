using System.Globalization;
using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>What a message of the work queue says: the closed set of what a worker can be asked to do.</summary>
/// <remarks>The texts outlive deployments: those that earlier versions sent are still read.</remarks>
public abstract record WorkItem
{
    /// <summary>The work queue.</summary>
    public const string Queue = "deliveries";

    private const string QueuePrefix = "gate|q|", FlowKeyPrefix = "gate|k|", ProbePrefix = "probe|", RecoverPrefix = "recover|",
        RunPrefix = "run|", RousePrefix = "rouse|";

    private WorkItem()
    {
    }

    /// <summary>The text of the work-queue message.</summary>
    public abstract string Text { get; }

    /// <summary>Do what is due for a message.</summary>
    /// <param name="Ticket">The message, and the number under which it was sent on its way.</param>
    /// <param name="DueAt">
    /// When, in unix milliseconds, where the queue may give it a little early, and of a retry that has a ticket of its own,
    /// which it tells from that of the attempt before; null where it is due when it comes.
    /// </param>
    /// <param name="Wait">The number of its wait (<see cref="Progress.Wait"/>); 0 where it waited in the work queue only.</param>
    public sealed record Deliver(DeliveryTicket Ticket, long? DueAt = null, int Wait = 0) : WorkItem
    {
        public override string Text =>
            DueAt is { } due ? string.Create(CultureInfo.InvariantCulture, $"{Ticket}|{due}{(Wait == 0 ? "" : $"|{Wait}")}") : Ticket.ToString();
    }

    /// <summary>Look at a queue again, whose line may move.</summary>
    /// <param name="Name">The queue.</param>
    /// <param name="At">When, in unix milliseconds, as the queue's state has it.</param>
    public sealed record WakeQueue(string Name, long At) : WorkItem
    {
        public override string Text => string.Create(CultureInfo.InvariantCulture, $"{QueuePrefix}{At}|{Name}");
    }

    /// <summary>Look at a flow-control key again, whose line may move.</summary>
    /// <param name="Key">The key.</param>
    /// <param name="At">When, in unix milliseconds, as the key's state has it.</param>
    public sealed record WakeFlowKey(string Key, long At) : WorkItem
    {
        public override string Text => string.Create(CultureInfo.InvariantCulture, $"{FlowKeyPrefix}{At}|{Key}");
    }

    /// <summary>Do what a workflow run still owes to others.</summary>
    /// <param name="Key">The id of the run's first message.</param>
    public sealed record SettleRun(MessageId Key) : WorkItem
    {
        public override string Text => RunPrefix + Key.Text;
    }

    /// <summary>Send on its way what of a workflow run nobody acts for.</summary>
    /// <param name="Key">The id of the run's first message.</param>
    public sealed record RouseRun(MessageId Key) : WorkItem
    {
        public override string Text => RousePrefix + Key.Text;
    }

    /// <summary>Note that the queue in which this comes has been worked through up to here.</summary>
    /// <param name="SentAt">When the probe was sent, in unix milliseconds.</param>
    public sealed record Probe(long SentAt) : WorkItem
    {
        public override string Text => string.Create(CultureInfo.InvariantCulture, $"{ProbePrefix}{SentAt}");
    }

    /// <summary>Send a message on its way that may not have been, unless it has changed: then somebody acts for it.</summary>
    /// <param name="Id">The message.</param>
    /// <param name="Version">The version of its row when it was looked at.</param>
    public sealed record Recover(MessageId Id, string Version) : WorkItem
    {
        /// <summary>After how long whoever is attempting it has ended, or has noted that it takes long.</summary>
        public static readonly TimeSpan After = TimeSpan.FromSeconds(5);

        public override string Text => $"{RecoverPrefix}{Id}|{Version}";
    }

    /// <summary>The work-queue message; a delay beyond what the queue can hold is cut, a negative one is none.</summary>
    public Send ToSend(TimeSpan delay = default) => new(
        Queue, Text, delay > IWorkQueues.MaxDelay ? IWorkQueues.MaxDelay : delay < TimeSpan.Zero ? TimeSpan.Zero : delay);

    /// <summary>What a work-queue message says; null for a text that means nothing.</summary>
    public static WorkItem? Parse(string text)
    {
        if (DeliveryTicket.TryParse(text, out var ticket))
            return new Deliver(ticket);
        if (text.Split('|') is [var message, var number, var due, .. var last] && DeliveryTicket.TryParse($"{message}|{number}", out ticket))
        {
            var wait = 0;
            return TryParse(due, out var dueAt)
                && (last is [] || (last is [var only] && int.TryParse(only, NumberStyles.None, CultureInfo.InvariantCulture, out wait)))
                ? new Deliver(ticket, dueAt, wait)
                : null;
        }
        if (text.StartsWith(ProbePrefix, StringComparison.Ordinal))
            return TryParse(text.AsSpan(ProbePrefix.Length), out var sentAt) ? new Probe(sentAt) : null;
        if (text.StartsWith(RecoverPrefix, StringComparison.Ordinal))
        {
            return text.IndexOf('|', RecoverPrefix.Length) is > 0 and var end && MessageId.TryParse(text[RecoverPrefix.Length..end], out var id)
                ? new Recover(id, text[(end + 1)..])
                : null;
        }
        if (text.StartsWith(RunPrefix, StringComparison.Ordinal))
            return MessageId.TryParse(text[RunPrefix.Length..], out var run) ? new SettleRun(run) : null;
        if (text.StartsWith(RousePrefix, StringComparison.Ordinal))
            return MessageId.TryParse(text[RousePrefix.Length..], out var sleeper) ? new RouseRun(sleeper) : null;
        var isQueue = text.StartsWith(QueuePrefix, StringComparison.Ordinal);
        if (!isQueue && !text.StartsWith(FlowKeyPrefix, StringComparison.Ordinal))
            return null;
        var rest = text.AsSpan(QueuePrefix.Length);
        var bar = rest.IndexOf('|');
        if (bar < 0 || !TryParse(rest[..bar], out var at))
            return null;
        var name = rest[(bar + 1)..].ToString();
        return isQueue ? new WakeQueue(name, at) : new WakeFlowKey(name, at);
    }

    private static bool TryParse(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
