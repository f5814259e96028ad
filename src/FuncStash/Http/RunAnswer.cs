using System.Text.Json;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary>Parts of runs as JSON.</summary>
internal static class RunAnswer
{
    public static void Write(Utf8JsonWriter json, RunPublished published)
    {
        json.WriteStartObject();
        json.WriteString("messageId", published.Id.Text);
        json.WriteString("workflowRunId", published.RunId);
        if (published.Deduplicated)
            json.WriteBoolean("deduplicated", true);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, Triggered triggered)
    {
        json.WriteStartObject();
        WriteRun(json, triggered.RunId, triggered.Key.CreatedAt);
        if (triggered.Deduplicated)
            json.WriteBoolean("deduplicated", true);
        json.WriteEndObject();
    }

    public static void WriteRun(Utf8JsonWriter json, string runId, long createdAt)
    {
        json.WriteString("workflowRunId", runId);
        json.WriteNumber("workflowCreatedAt", createdAt);
    }
}
