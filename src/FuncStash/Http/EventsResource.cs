using System.Text.Json;
using FuncStash.Access;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary><c>/v2/wait</c>, <c>/v2/notify</c> and <c>/v2/waiters</c>: events of workflow runs (protocol#waits-and-events).</summary>
public sealed class EventsResource(RunWaits waits, RunEvents events, PageAnswer pages, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("POST", "/v2/wait/{event}", AccessLevel.Full, WaitAsync),
        new("POST", "/v2/notify/{event}", AccessLevel.Full, NotifyAsync),
        new("POST", "/v2/notify/{run}/{event}", AccessLevel.Full, NotifyRunAsync),
        new("GET", "/v2/waiters/{event}", AccessLevel.Read, WaitersAsync),
    ];

    private async Task WaitAsync(ApiCall call)
    {
        var body = await call.BodyAsync(options.Workflows.MaxRequestBytes);
        WaitRequest wait;
        try
        {
            wait = Read(body, call.Values[0]);
        }
        catch (QStashException refusal)
        {
            throw RunRules.Refused(refusal);
        }
        var message = await waits.WaitAsync(wait, call.Aborted);
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteString("messageId", message.Text);
            json.WriteEndObject();
        });
    }

    private static WaitRequest Read(byte[] body, string name)
    {
        using var document = JsonBody.Parse(body, JsonValueKind.Object);
        var wait = document.RootElement;
        var settings = RunPublisher.LastOf(wait.Headers("timeoutHeaders") ?? HeaderMap.Empty);
        var runId = settings[RunHeaders.RunIdName]?[0] ?? throw QStashException.BadRequest("invalid wait: timeoutHeaders name no workflow run");
        var url = wait.Text("timeoutUrl") ?? wait.Text("url") ?? throw QStashException.BadRequest("invalid wait: url is missing");
        var step = JsonBody.Property(wait, "step")?.GetRawText() ?? throw QStashException.BadRequest("invalid wait: step is missing");
        var timeout = JsonBody.Property(wait, "timeout") switch
        {
            { ValueKind: JsonValueKind.String } text => JsonBody.Unescaped(text, "timeout"),
            { ValueKind: JsonValueKind.Number } seconds => seconds.GetRawText(),
            null => null,
            _ => throw QStashException.BadRequest("invalid wait: timeout must be a duration"),
        };
        return new WaitRequest(runId, name, url, timeout, settings, step);
    }

    private async Task NotifyAsync(ApiCall call) =>
        await AnswerAsync(call, events.NotifyAsync(call.Values[0], await BodyAsync(call), call.Aborted));

    private async Task NotifyRunAsync(ApiCall call)
    {
        var notified = await events.NotifyAsync(call.Values[0], call.Values[1], await BodyAsync(call), call.Aborted);
        await AnswerAsync(call, notified is null ? AsyncEnumerable.Empty<Notified>() : new[] { notified }.ToAsyncEnumerable());
    }

    private ValueTask<byte[]> BodyAsync(ApiCall call) => call.BodyAsync(options.Workflows.MaxPayloadBytes);

    private static Task AnswerAsync(ApiCall call, IAsyncEnumerable<Notified> notified) => JsonStream.AnswerAsync(call, 201, async stream =>
    {
        var json = stream.Json;
        json.WriteStartArray();
        await foreach (var item in notified)
        {
            json.WriteStartObject();
            json.WritePropertyName("waiter");
            Write(json, item.Run, item.Wait);
            json.WriteString("messageId", item.Message.Text);
            RunAnswer.WriteRun(json, item.Run.Spec.RunId, item.Run.CreatedAt);
            json.WriteEndObject();
            await stream.DrainAsync();
        }
        json.WriteEndArray();
    });

    private Task WaitersAsync(ApiCall call) =>
        pages.WriteAllAsync(call, events.WaitersAsync(call.Values[0], call.Aborted), (json, waiter) => Write(json, waiter.Run, waiter.Wait));

    private static void Write(Utf8JsonWriter json, Run run, RunStep wait)
    {
        var detail = wait.Detail!;
        json.WriteStartObject();
        json.WriteString("url", detail.Url);
        json.WriteNumber("deadline", detail.Deadline!.Value / 1000);
        json.WriteStartObject("headers");
        json.WriteStartArray(RunHeaders.RunIdName);
        json.WriteStringValue(run.Spec.RunId);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteString("timeoutUrl", detail.Url);
        json.WritePropertyName("timeoutHeaders");
        MessageAnswer.WriteHeader(json, MessageAnswer.RedactSettings(detail.Settings ?? HeaderMap.Empty, run.Spec.Redaction));
        RunAnswer.WriteRun(json, run.Spec.RunId, run.CreatedAt);
        json.WriteEndObject();
    }
}
