using System.Globalization;
using System.Text.Json;
using FuncStash.Messages;
using FuncStash.RunLogs;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>A run and its steps as JSON (protocol#run-logs), with what was to be redacted redacted.</summary>
internal sealed class RunLogAnswer(RunStore runs, MessageStore messages)
{
    /// <param name="stream">Where it goes.</param>
    /// <param name="view">The run.</param>
    /// <param name="trim">How many characters of payloads are shown, none when negative; null for all.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async Task WriteAsync(JsonStream stream, RunView view, int? trim, CancellationToken cancellation)
    {
        var (json, run, spec, progress) = (stream.Json, view.Run, view.Run.Spec, view.Run.Progress);
        var texts = new RunTexts(spec, trim);
        json.WriteStartObject();
        json.WriteString("workflowRunId", spec.RunId);
        json.WriteString("workflowUrl", spec.Url);
        json.WriteString("workflowState", progress.State.Wire());
        json.WriteNumber("workflowRunCreatedAt", run.CreatedAt);
        json.WriteIf("workflowRunCompletedAt", progress.EndedAt);
        if (progress.State == RunState.Success && await runs.ResultAsync(run, cancellation) is { Length: > 0 } result)
            texts.Write(json, "workflowRunResponse", result);
        MessageAnswer.WriteLabels(json, spec.Labels);
        json.WriteIf("flowControlKey", spec.FlowControl?.Key);
        if (spec.CallerIp.Length > 0)
            json.WriteString("workflowRunCallerIp", spec.CallerIp);
        json.WriteIf("dlqId", progress.DlqId);
        WriteInvoker(json, spec.Invoker);
        json.WriteStartArray("steps");
        foreach (var group in view.Groups)
        {
            json.WriteStartObject();
            json.WriteString("type", group.Kind switch { GroupKind.Parallel => "parallel", GroupKind.Next => "next", _ => "sequential" });
            json.WriteStartArray("steps");
            foreach (var slot in group.Slots)
            {
                await WriteAsync(stream, view, slot, texts, cancellation);
                await stream.DrainAsync();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        await WriteFailureAsync(stream, view, cancellation);
        json.WriteEndObject();
    }

    private async Task WriteAsync(JsonStream stream, RunView view, StepSlot slot, RunTexts texts, CancellationToken cancellation)
    {
        var (json, run, spec) = (stream.Json, view.Run, view.Run.Spec);
        var delivery = slot.MessageId is { } id ? view.Deliveries.GetValueOrDefault(id) : null;
        json.WriteStartObject();
        if (slot.Id is > 0)
            json.WriteNumber("stepId", slot.Id.Value);
        var entry = slot.Result ?? slot.Begun ?? slot.Plan;
        if (entry is not null)
        {
            var text = await StepAsync(run.Key, slot, cancellation);
            json.WriteString("stepName", slot.Id == 0 ? "init" : text.Name ?? "");
            json.WriteString("stepType", slot.Id == 0 ? "Initial" : text.Type ?? "Run");
            json.WriteString("callType", "step");
            json.WriteNumber("concurrent", entry.Concurrent);
            json.WriteNumber("createdAt", entry.At);
            json.WritePropertyName("headers");
            MessageAnswer.WriteHeader(json, texts.Header(spec.Header));
            if (slot.Id == 0)
                texts.Write(json, "out", text.Body);
            else
                await StepDetailAnswer.WriteAsync(json, slot, text, texts, LoadAsync, cancellation);
        }
        else if (delivery?.Errors is [.., var last]
            && (await messages.WithResponseAsync(last, cancellation))?.ResponseHeader?["Upstash-Error-Step-Name"] is [var name, ..])
        {
            json.WriteString("stepName", HeaderValue.ToText(name));
        }
        json.WriteString("messageId", slot.MessageId ?? entry!.MessageId);
        json.WriteString("state", view.StateOf(slot).Wire());
        var retries = slot.Begun?.Detail?.MaxRetries ?? delivery?.Message?.Message.MaxRetries ?? spec.MaxRetries;
        json.WriteNumber("retries", retries);
        if (retries > 0)
            json.WriteString("retryDelay", delivery?.Message?.Message.RetryDelay ?? spec.RetryDelay ?? DefaultRetryDelay);
        if (delivery is not null)
        {
            await WriteErrorsAsync(stream, delivery, cancellation);
            if (delivery is { Message: { Ended: false } stored } && stored.Progress.DueAt > stored.Message.CreatedAt)
                json.WriteNumber("nextDeliveryTime", stored.Progress.DueAt);
        }
        json.WriteEndObject();
    }

    /// <summary>The back-off of a run that asks for none, in the words of one that does (protocol#backoff).</summary>
    private const string DefaultRetryDelay = "min(86400, exp(2.5 * (retried + 1))) * 1000";

    private async ValueTask<byte[]> LoadAsync(string message, CancellationToken cancellation) =>
        await messages.GetAsync(MessageId.Parse(message), cancellation) is { } stored ? await messages.BodyAsync(stored.Message, cancellation) : [];

    private async ValueTask<LoadedStep> StepAsync(MessageId key, StepSlot slot, CancellationToken cancellation)
    {
        var entry = slot.Result ?? slot.Plan;
        if (slot.Begun?.Detail is { } detail && slot.Result is null)
            return new LoadedStep([], detail.Name, detail.Type);
        var body = entry is null ? [] : await runs.BodyAsync(key, entry, cancellation);
        return slot.Id == 0 || StepText.TryRead(body) is not { } text ? new LoadedStep(body, null, null) : new LoadedStep(body, text.Name, text.Type);
    }

    // One response at a time: they may be long.
    private async ValueTask WriteErrorsAsync(JsonStream stream, DeliveryView delivery, CancellationToken cancellation)
    {
        if (delivery.Errors.Count == 0)
            return;
        var json = stream.Json;
        json.WriteStartArray("errors");
        foreach (var listed in delivery.Errors)
        {
            if (await messages.WithResponseAsync(listed, cancellation) is not { } error)
                continue;
            json.WriteStartObject();
            json.WriteString("error", ErrorOf(error));
            json.WriteString("body", MessageAnswer.TextOf(error.ResponseBody ?? []));
            json.WritePropertyName("headers");
            MessageAnswer.WriteHeader(json, error.ResponseHeader ?? HeaderMap.Empty);
            json.WriteNumber("status", error.ResponseStatus ?? 0);
            json.WriteNumber("time", error.Time);
            json.WriteEndObject();
            await stream.DrainAsync();
        }
        json.WriteEndArray();
    }

    // "500 Internal Server Error", where it is no more than the status that was wrong.
    private static string ErrorOf(LogEvent error)
    {
        var status = error.ResponseStatus ?? 0;
        var phrase = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status);
        return status is 0 or (>= 200 and <= 299) ? error.Error ?? "no response"
            : string.Create(CultureInfo.InvariantCulture, $"{status} {phrase}").TrimEnd();
    }

    private static void WriteInvoker(Utf8JsonWriter json, Invoker? invoker)
    {
        if (invoker is null)
            return;
        json.WriteStartObject("invoker");
        json.WriteString("workflowRunId", invoker.RunId);
        json.WriteString("workflowUrl", invoker.Url);
        json.WriteNumber("workflowRunCreatedAt", MessageId.Parse(invoker.Key).CreatedAt);
        json.WriteEndObject();
    }

    private async ValueTask WriteFailureAsync(JsonStream stream, RunView view, CancellationToken cancellation)
    {
        var (json, progress) = (stream.Json, view.Run.Progress);
        if (progress.Failure is not { } failure)
            return;
        var (outcome, _) = progress.FailedMessage is { } failed && await messages.GetAsync(MessageId.Parse(failed), cancellation) is { } stored
            ? await messages.LastOutcomeAsync(stored, cancellation)
            : (new AttemptOutcome.NoResponse(progress.Error ?? ""), "");
        var response = outcome as AttemptOutcome.Response;
        json.WriteStartObject("failureFunction");
        json.WriteString("messageId", failure.MessageId);
        json.WriteString("url", failure.Url);
        json.WriteString("state", failure.State.Wire());
        json.WritePropertyName("failHeaders");
        MessageAnswer.WriteHeader(json, response?.Header ?? HeaderMap.Empty);
        json.WriteNumber("failStatus", outcome.Status);
        json.WriteString("failResponse", MessageAnswer.TextOf(response?.Body ?? []));
        json.WriteIf("dlqId", progress.DlqId);
        json.WriteIf("responseStatus", failure.ResponseStatus);
        if (failure.ResponseBody is { } body)
            json.WriteString("responseBody", MessageAnswer.TextOf(body));
        if (failure.ResponseHeader is { } header)
        {
            json.WritePropertyName("responseHeaders");
            MessageAnswer.WriteHeader(json, header);
        }
        if (view.Deliveries.GetValueOrDefault(failure.MessageId) is { } delivery)
        {
            await WriteErrorsAsync(stream, delivery, cancellation);
            if (delivery.Message is { } call)
            {
                json.WriteNumber("maxRetries", call.Message.MaxRetries);
                if (!call.Ended && call.Progress.Retried > 0)
                    json.WriteNumber("nextDeliveryTime", call.Progress.DueAt);
            }
        }
        json.WriteEndObject();
    }
}

/// <summary>What is read of a step for its log.</summary>
internal sealed record LoadedStep(byte[] Body, string? Name, string? Type);

/// <summary>Writes payloads of a run as they may be shown.</summary>
internal sealed class RunTexts(RunSpec spec, int? trim)
{
    private readonly RedactFields? _redact = spec.Redaction;

    public HeaderMap Header(HeaderMap header) => MessageAnswer.Redact(header, _redact);

    /// <summary>The result of a call, the headers in it redacted.</summary>
    public string OfCall(string result) => CallResult.Shown(result, _redact);

    public void Write(Utf8JsonWriter json, string name, byte[] body)
    {
        if (_redact is { Body: true })
            json.WriteString(name, RedactFields.Redacted(body));
        else if (trim is null or >= 0)
            json.WriteString(name, Trimmed(MessageAnswer.TextOf(body)));
    }

    public void Write(Utf8JsonWriter json, string name, string text)
    {
        if (_redact is { Body: true })
            json.WriteString(name, RedactFields.Redacted(System.Text.Encoding.UTF8.GetBytes(text)));
        else if (trim is null or >= 0)
            json.WriteString(name, Trimmed(text));
    }

    private ReadOnlySpan<char> Trimmed(string text) => trim is { } most && text.Length > most ? text.AsSpan(0, most) : text;
}
