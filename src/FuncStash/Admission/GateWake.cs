namespace FuncStash.Admission;

/// <summary>The text of a work-queue message that has a gate looked at again.</summary>
internal static class GateWake
{
    private const string Queue = "gate|q|", FlowKey = "gate|k|";

    public static string Text(GateKind kind, string name) => (kind == GateKind.Queue ? Queue : FlowKey) + name;

    public static bool TryParse(string text, out GateKind kind, out string name)
    {
        kind = text.StartsWith(Queue, StringComparison.Ordinal) ? GateKind.Queue : GateKind.FlowKey;
        var known = kind == GateKind.Queue || text.StartsWith(FlowKey, StringComparison.Ordinal);
        name = known ? text[Queue.Length..] : "";
        return known;
    }
}
