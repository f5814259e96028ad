using System.Text.Json;
using FuncStash.Access;
using FuncStash.Publishing;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.UrlGroups;
using FuncStash.Wire;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary><c>POST /v2/publish/{destination}</c> (protocol#publish); with <c>Upstash-Cron</c> it makes a schedule (protocol#cron).</summary>
public sealed class PublishResource(Acceptance acceptance, RunPublisher runs, UrlGroupStore groups, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("POST", "/v2/publish/{destination*}", AccessLevel.Full, PublishAsync),
    ];

    private async Task PublishAsync(ApiCall call)
    {
        var request = await RequestReader.ReadAsync(call, call.Values[0], groups, options);
        if (RunRequest.Of(request) is { } part)
        {
            var answers = await runs.PublishAsync([part], call.Aborted);
            await call.JsonAsync(answers[0].Deduplicated ? 202 : 200, json => RunAnswer.Write(json, answers[0]));
            return;
        }
        await AnswerAsync(call, await acceptance.AcceptAsync(request, call.Aborted));
    }

    /// <summary>200 with what was accepted; 202 when all of it was published before.</summary>
    internal static Task AnswerAsync(ApiCall call, Accepted accepted) =>
        call.JsonAsync(IsDuplicate(accepted) ? 202 : 200, json => Write(json, accepted));

    /// <summary>True when nothing new came of it (protocol#publish).</summary>
    internal static bool IsDuplicate(Accepted accepted) =>
        accepted is Accepted.Messages { Result.Messages: { Count: > 0 } messages } && messages.All(m => m.Deduplicated);

    internal static void Write(Utf8JsonWriter json, Accepted accepted)
    {
        switch (accepted)
        {
            case Accepted.Messages messages:
                Write(json, messages.Result);
                break;
            case Accepted.Schedule schedule:
                json.WriteStartObject();
                json.WriteString("scheduleId", schedule.Id);
                json.WriteEndObject();
                break;
            case Accepted.Refused refused:
                ErrorJson.Write(json, refused.Reason.Message);
                break;
        }
    }

    /// <summary>An object for one URL, an array for a URL group.</summary>
    internal static void Write(Utf8JsonWriter json, PublishResult result)
    {
        if (!result.IsGroup)
        {
            Write(json, result.Messages[0], withUrl: false);
            return;
        }
        json.WriteStartArray();
        foreach (var message in result.Messages)
            Write(json, message, withUrl: true);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, Published message, bool withUrl)
    {
        json.WriteStartObject();
        json.WriteString("messageId", message.Id.Text);
        if (withUrl)
            json.WriteString("url", message.Url);
        if (message.Deduplicated)
            json.WriteBoolean("deduplicated", true);
        json.WriteEndObject();
    }
}
