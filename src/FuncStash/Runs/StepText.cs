using System.Text.Json;
using FuncStash.Wire;

namespace FuncStash.Runs;

/// <summary>A step as the SDK writes it: a JSON object (protocol#steps).</summary>
/// <param name="Id">Its number; 0 in a plan.</param>
/// <param name="Target">The number of the step that a plan is for; 0 for none.</param>
/// <param name="Concurrent">How many run side by side with it, itself included.</param>
public sealed record StepText(int Id, int Target, int Concurrent, string? Name, string? Type)
{
    /// <summary>Which entry of the run it is; null when it does not say.</summary>
    public StepKey? Key =>
        Id is > 0 and <= StepKey.MaxId ? new StepKey(Id, StepKind.Result)
        : Target is > 0 and <= StepKey.MaxId ? new StepKey(Target, StepKind.Plan)
        : null;

    /// <summary>Reads a step; null for a text that is none.</summary>
    public static StepText? TryRead(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = WholeText.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Of(document.RootElement) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal static StepText Of(JsonElement step) =>
        new(Number(step, "stepId"), Number(step, "targetStep"), Math.Max(1, Number(step, "concurrent")), Text(step, "stepName"), Text(step, "stepType"));

    /// <summary>The step with its result, for steps of which the service brings it.</summary>
    /// <param name="step">The step as it was submitted, without result.</param>
    /// <param name="result">The result's text; null for none.</param>
    /// <param name="more">Further properties.</param>
    public static byte[] WithResult(string step, string? result, Action<Utf8JsonWriter>? more = null)
    {
        using var document = WholeText.Parse(System.Text.Encoding.UTF8.GetBytes(step));
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonText.Options))
        {
            json.WriteStartObject();
            foreach (var property in document.RootElement.EnumerateObject().Where(p => p.Name != "out"))
                property.WriteTo(json);
            more?.Invoke(json);
            if (result is not null)
                json.WriteString("out", result);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static int Number(JsonElement step, string name) =>
        step.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : 0;

    private static string? Text(JsonElement step, string name) =>
        step.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
