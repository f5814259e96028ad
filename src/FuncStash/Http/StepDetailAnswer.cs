using System.Text;
using System.Text.Json;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.RunLogs;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>What a step's kind has to tell: whom it called and what came back, for what it waited, how long it slept.</summary>
internal static class StepDetailAnswer
{
    /// <param name="json">Where it goes.</param>
    /// <param name="slot">The step.</param>
    /// <param name="step">What was read of it.</param>
    /// <param name="texts">How payloads may be shown.</param>
    /// <param name="load">Reads the payload of a message.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static async Task WriteAsync(
        Utf8JsonWriter json, StepSlot slot, LoadedStep step, RunTexts texts, Func<string, CancellationToken, ValueTask<byte[]>> load,
        CancellationToken cancellation)
    {
        using var document = step.Body.Length > 0 ? TryParse(step.Body) : null;
        if (document is { RootElement: { ValueKind: JsonValueKind.Object } root })
            WriteResult(json, root, texts, hasResult: slot.Result is not null);
        switch (slot.Begun)
        {
            case { Key.Kind: StepKind.Call, Detail: { } call } entry:
                var body = await load(entry.MessageId, cancellation);
                json.WriteIf("callUrl", call.Url);
                json.WriteIf("callMethod", call.Method);
                json.WritePropertyName("callHeaders");
                MessageAnswer.WriteHeader(json, texts.Header(call.Header ?? HeaderMap.Empty));
                if (body.Length > 0)
                    texts.Write(json, "callBody", body);
                break;
            case { Key.Kind: StepKind.Wait, Detail: { } wait }:
                json.WriteIf("waitEventId", wait.Event);
                json.WriteIf("waitTimeoutDuration", wait.Timeout);
                json.WriteIf("waitTimeoutDeadline", wait.Deadline);
                if (slot.Result is not null)
                    json.WriteBoolean("waitTimeout", IsTrue(document?.RootElement, "waitTimeout"));
                break;
            case { Key.Kind: StepKind.Invoke, Detail: { Invoked: { } invoked } detail } entry:
                json.WriteString("invokedWorkflowRunId", invoked.RunId);
                json.WriteString("invokedWorkflowUrl", invoked.Url);
                json.WriteNumber("invokedWorkflowCreatedAt", MessageId.Parse(detail.InvokedKey!).CreatedAt);
                if (entry.Body.Length > 0)
                    texts.Write(json, "invokedWorkflowRunBody", entry.Body);
                json.WritePropertyName("invokedWorkflowRunHeaders");
                MessageAnswer.WriteHeader(json, texts.Header(invoked.Header));
                break;
        }
    }

    private static void WriteResult(Utf8JsonWriter json, JsonElement step, RunTexts texts, bool hasResult)
    {
        foreach (var name in new[] { "sleepFor", "sleepUntil" })
        {
            if (step.TryGetProperty(name, out var sleep) && sleep.ValueKind is JsonValueKind.Number or JsonValueKind.String)
            {
                json.WritePropertyName(name);
                sleep.WriteTo(json);
            }
        }
        if (!hasResult || !step.TryGetProperty("out", out var result) || result.ValueKind == JsonValueKind.Null)
            return;
        var text = result.ValueKind == JsonValueKind.String ? result.GetString()! : result.GetRawText();
        var isCall = step.TryGetProperty("stepType", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals(CallResult.StepType);
        if (isCall)
            text = texts.OfCall(text);
        texts.Write(json, "out", text);
        if (isCall)
            WriteResponse(json, text, texts);
    }

    // The SDK has made a character of each byte of the body.
    private static void WriteResponse(Utf8JsonWriter json, string result, RunTexts texts)
    {
        using var document = TryParse(Encoding.UTF8.GetBytes(result));
        if (document is not { RootElement: { ValueKind: JsonValueKind.Object } response })
            return;
        if (response.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.Number)
        {
            json.WritePropertyName("callResponseStatus");
            status.WriteTo(json);
        }
        if (response.TryGetProperty("body", out var body) && body.ValueKind == JsonValueKind.String)
        {
            var text = body.GetString()!;
            texts.Write(json, "callResponseBody", text.Any(c => c > 0xFF) ? text : MessageAnswer.TextOf(Encoding.Latin1.GetBytes(text)));
        }
        if (response.TryGetProperty("header", out var header) && header.ValueKind == JsonValueKind.Object)
        {
            json.WritePropertyName("callResponseHeaders");
            header.WriteTo(json);
        }
    }

    private static bool IsTrue(JsonElement? step, string name) =>
        step is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.True;

    private static JsonDocument? TryParse(byte[] json)
    {
        try
        {
            return WholeText.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
