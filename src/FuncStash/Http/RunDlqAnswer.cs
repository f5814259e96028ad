using System.Text.Json;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary>A run's dead letter as JSON (protocol#run-dead-letters); its body is the run's payload.</summary>
internal sealed class RunDlqAnswer(RunLetter listed, RunLetters letters, WorkflowLimits limits) : IPageEntry
{
    private RunLetter? _item;
    private byte[] _payload = [];

    public string Cursor => listed.Letter.Id.ToString();

    // What a run has taken in holds its payload.
    public int Weight => (int)Math.Min(listed.Run.Progress.Bytes, limits.MaxPayloadBytes)
        + (listed.Letter.ResponseSize ?? AttemptOutcome.Response.MaxBodyBytes);

    // One that is removed meanwhile is no longer listed.
    public async ValueTask<bool> LoadAsync(CancellationToken cancellation)
    {
        if (await letters.GetAsync(listed.Letter.Id, cancellation) is not { } item)
            return false;
        (_item, _payload) = (item, await letters.PayloadAsync(item, cancellation));
        return true;
    }

    public void Write(Utf8JsonWriter json)
    {
        var (letter, run) = _item!;
        json.WriteStartObject();
        json.WriteString("dlqId", letter.Id.ToString());
        var message = letter.Message with { FailureCallback = letter.Message.FailureCallback ?? run.Spec.FailureCallback };
        MessageAnswer.WriteFields(json, message, _payload);
        json.WriteString("workflowUrl", run.Spec.Url);
        DlqAnswer.WriteResponse(json, letter);
        if (run.Progress.Failure is { } failure)
            WriteFailure(json, failure);
        json.WriteEndObject();
    }

    // The documentation has one name, the SDK reads the other.
    private static void WriteFailure(Utf8JsonWriter json, FailureFunction failure)
    {
        json.WriteString("failureFunctionState", failure.State.Wire());
        json.WriteStartObject("failureCallbackInfo");
        json.WriteString("state", failure.State.Wire());
        json.WriteIf("responseStatus", failure.ResponseStatus);
        if (failure.ResponseBody is { } body)
            json.WriteString("responseBody", MessageAnswer.TextOf(body));
        if (failure.ResponseHeader is { } header)
        {
            json.WritePropertyName("responseHeaders");
            MessageAnswer.WriteHeader(json, header);
        }
        json.WriteEndObject();
    }
}
