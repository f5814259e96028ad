using System.Text.Json;
using FuncStash.Access;
using FuncStash.Overview;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>/v2/overview</c>: what goes on, at a glance. Not part of QStash (protocol#overview).</summary>
public sealed class OverviewResource(OverviewReader reader) : IResource
{
    public IEnumerable<Route> Routes => [new("GET", "/v2/overview", AccessLevel.Read, GetAsync)];

    private async Task GetAsync(ApiCall call)
    {
        var overview = await reader.ReadAsync(call.Aborted);
        await call.JsonAsync(200, json => Write(json, overview));
    }

    private static void Write(Utf8JsonWriter json, ServiceOverview overview)
    {
        json.WriteStartObject();
        Write(json, overview.Recent);
        if (overview.Oldest.Id is { } id)
        {
            json.WriteStartObject("oldestDue");
            json.WriteString("messageId", id.Text);
            json.WriteNumber("dueAt", overview.Oldest.DueAt);
            json.WriteEndObject();
        }
        json.WriteMark("oldestDueIsPart", overview.Oldest.IsPart);
        json.WriteNumber("deadLettersToday", overview.DeadLettersToday);
        json.WriteTexts("pausedQueues", overview.PausedQueues.Select(queue => queue.Name));
        json.WriteTexts("pausedFlowControlKeys", overview.PausedKeys.Select(key => key.Key));
        json.WriteStartArray("slowDestinations");
        foreach (var (host, inFlight, places) in overview.Slow)
        {
            json.WriteStartObject();
            json.WriteString("host", host);
            json.WriteNumber("inFlight", inFlight);
            json.WriteNumber("places", places);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("inFlight", overview.InFlight);
        json.WriteNumber("maxInFlight", overview.MaxInFlight);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, RecentActivity recent)
    {
        json.WriteNumber("since", recent.Since);
        json.WriteMark("isPart", recent.IsCut);
        json.WriteStartArray("minutes");
        foreach (var minute in recent.Minutes)
        {
            json.WriteStartObject();
            json.WriteNumber("accepted", minute.Accepted);
            json.WriteNumber("delivered", minute.Delivered);
            json.WriteNumber("failedAttempts", minute.FailedAttempts);
            json.WriteNumber("failed", minute.Failed);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (recent.LatencyOf(0.5) is { } half)
        {
            json.WriteStartObject("responseTime");
            json.WriteNumber("p50", half);
            json.WriteNumber("p95", recent.LatencyOf(0.95)!.Value);
            json.WriteNumber("count", recent.Latency.Count);
            json.WriteEndObject();
        }
        json.WriteStartArray("failingDestinations");
        foreach (var (host, failures, error) in recent.Failing)
        {
            json.WriteStartObject();
            json.WriteString("host", host);
            json.WriteNumber("failedAttempts", failures);
            json.WriteIf("error", error);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
