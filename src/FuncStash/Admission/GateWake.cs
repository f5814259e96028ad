using System.Globalization;
using FuncStash.Delivery;
using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>A work-queue message that has a gate looked at again.</summary>
/// <param name="At">When, in unix milliseconds, as the gate's state has it.</param>
internal readonly record struct GateWake(GateKind Kind, string Name, long At)
{
    private const string Queue = "gate|q|", FlowKey = "gate|k|";

    public static Send ToSend(GateKind kind, string name, long at, long now) => new(
        DeliveryTicket.Queue,
        string.Create(CultureInfo.InvariantCulture, $"{(kind == GateKind.Queue ? Queue : FlowKey)}{at}|{name}"),
        TimeSpan.FromMilliseconds(Math.Clamp(at - now, 0, (long)IWorkQueues.MaxDelay.TotalMilliseconds)));

    public static bool TryParse(string text, out GateWake wake)
    {
        wake = default;
        var isQueue = text.StartsWith(Queue, StringComparison.Ordinal);
        if (!isQueue && !text.StartsWith(FlowKey, StringComparison.Ordinal))
            return false;
        var rest = text.AsSpan(Queue.Length);
        var bar = rest.IndexOf('|');
        if (bar < 0 || !long.TryParse(rest[..bar], NumberStyles.None, CultureInfo.InvariantCulture, out var at))
            return false;
        wake = new GateWake(isQueue ? GateKind.Queue : GateKind.FlowKey, rest[(bar + 1)..].ToString(), at);
        return true;
    }
}
