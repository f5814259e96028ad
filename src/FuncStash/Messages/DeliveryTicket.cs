using System.Globalization;
using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>Which message to attempt, and the number under which it was sent on its way; a lower one than the message's is stale.</summary>
public readonly record struct DeliveryTicket(MessageId Id, int Number)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id.Text}|{Number}");

    /// <summary>The work-queue message that asks for this delivery.</summary>
    public Send ToSend(TimeSpan delay = default) => new WorkItem.Deliver(this).ToSend(delay);

    public static bool TryParse(string text, out DeliveryTicket ticket)
    {
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        ticket = default;
        if (bar < 0 || !MessageId.TryParse(text[..bar], out var id)
            || !int.TryParse(text.AsSpan(bar + 1), CultureInfo.InvariantCulture, out var number))
            return false;
        ticket = new DeliveryTicket(id, number);
        return true;
    }
}
