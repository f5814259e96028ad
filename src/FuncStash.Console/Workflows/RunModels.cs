using System.Text.Json;
using FuncStash.Console.Parts;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.RunLogs;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.Console.Workflows;

public sealed record RunListModel(RunSearch Search, RunPage Page);

/// <param name="View">The run and its steps.</param>
/// <param name="Steps">The same to show, in order.</param>
/// <param name="Payload">What it was started with.</param>
/// <param name="Result">What it returned.</param>
/// <param name="Header">The headers of each delivery, redacted where they are to be.</param>
/// <param name="Letter">Its dead letter, from which it can go on.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
public sealed record RunDetailModel(
    RunView View, IReadOnlyList<RunStepView> Steps, Payload Payload, Payload Result, HeaderMap Header, DlqId? Letter, string? Done);

/// <summary>A step as it is shown.</summary>
/// <param name="Id">Its number; null for what comes next.</param>
/// <param name="Name">Its name; of what comes next, that it does.</param>
/// <param name="Kind">What it is, in a word.</param>
/// <param name="At">When its result was accepted, in unix milliseconds.</param>
/// <param name="Result">Its result.</param>
/// <param name="IsWhole">Whether all of the result was asked for.</param>
/// <param name="Detail">Whom it calls or what it waits for.</param>
/// <param name="MessageId">The message that tells how far it is.</param>
/// <param name="Error">Why its last attempt failed.</param>
public sealed record RunStepView(
    int? Id, string Name, string Kind, StepState State, bool IsParallel, long? At, Payload? Result, bool IsWhole, string? Detail, string? MessageId, string? Error)
{
    public static RunStepView Of(
        StepSlot slot, GroupKind group, StepState state, byte[] body, DeliveryView? delivery, RedactFields? redact, bool isWhole)
    {
        var (name, type, output) = Read(body, redact);
        var detail = slot.Begun?.Detail;
        return new RunStepView(
            slot.Id, name ?? detail?.Name ?? (slot.Id is { } id ? id == 0 ? "payload" : $"step {id}" : "what comes next"),
            type ?? detail?.Type ?? (slot.Id == 0 ? "Initial" : ""),
            state, group == GroupKind.Parallel, slot.Result?.At, output is null ? null : Payload.Of(output, isWhole), isWhole,
            detail switch { { Event: { } waited } => $"waits for {waited}", { Url: { } url } => $"{detail.Method} {url}".Trim(), { Invoked: { } invoked } => $"invokes {invoked.RunId}", _ => null },
            slot.MessageId ?? slot.Result?.MessageId, delivery?.Errors is [.., var last] ? last.Error : null);
    }

    // A result is the step as its SDK submitted it: JSON with a name, a type and an outcome; what is none is shown by its number alone.
    private static (string? Name, string? Type, byte[]? Output) Read(byte[] body, RedactFields? redact)
    {
        if (body.Length == 0)
            return default;
        try
        {
            using var document = WholeText.Parse(body);
            if (document.RootElement is not { ValueKind: JsonValueKind.Object } step)
                return default;
            var type = TextOf(step, "stepType");
            if (!step.TryGetProperty("out", out var output) || output.ValueKind == JsonValueKind.Null)
                return (TextOf(step, "stepName"), type, null);
            var result = output.ValueKind == JsonValueKind.String ? output.GetString()! : output.GetRawText();
            return (TextOf(step, "stepName"), type, System.Text.Encoding.UTF8.GetBytes(type == CallResult.StepType ? CallResult.Shown(result, redact) : result));
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static string? TextOf(JsonElement step, string name) =>
        step.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
