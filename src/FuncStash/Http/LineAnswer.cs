using FuncStash.Admission;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>Who is in a queue or at a flow-control key, and who is next. Not part of QStash (protocol#lines).</summary>
internal static class LineAnswer
{
    private const int ByDefault = 10, Most = 1_000;

    /// <summary>How many of either are asked for.</summary>
    /// <exception cref="QStashException">400 for what is no such number.</exception>
    public static int CountOf(ApiCall call) => new ListParameters(call.Target).Count(ByDefault, Most);

    public static Task WriteAsync(ApiCall call, GateLine line) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("waiting", line.Waiting);
        json.WriteNumber("inFlight", line.InFlight);
        json.WriteTexts("inFlightMessageIds", line.Inside);
        json.WriteTexts("nextMessageIds", line.Next);
        json.WriteIf("oldestDueAt", line.OldestDueAt);
        json.WriteIf("pausedAt", line.PausedAt);
        json.WriteEndObject();
    });
}
