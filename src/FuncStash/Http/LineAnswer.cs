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
        json.WriteStartArray("inFlightMessageIds");
        foreach (var id in line.Inside)
            json.WriteStringValue(id);
        json.WriteEndArray();
        json.WriteStartArray("nextMessageIds");
        foreach (var id in line.Next)
            json.WriteStringValue(id);
        json.WriteEndArray();
        json.WriteIf("oldestDueAt", line.OldestDueAt);
        json.WriteIf("pausedAt", line.PausedAt);
        json.WriteEndObject();
    });
}
