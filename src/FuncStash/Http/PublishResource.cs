using System.Text.Json;
using FuncStash.Access;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.UrlGroups;

namespace FuncStash.Http;

/// <summary><c>POST /v2/publish/{destination}</c> (contract §4).</summary>
public sealed class PublishResource(Publisher publisher, UrlGroupStore groups, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("POST", "/v2/publish/{destination*}", AccessLevel.Full, PublishAsync),
    ];

    private async Task PublishAsync(ApiCall call)
    {
        var request = await RequestReader.ReadAsync(call, call.Values[0], groups, options);
        await AnswerAsync(call, await publisher.PublishAsync(request, call.Aborted));
    }

    /// <summary>An object for one URL, an array for a URL group; 202 when all of it was published before.</summary>
    internal static Task AnswerAsync(ApiCall call, PublishResult result) =>
        call.JsonAsync(result.Messages.Count > 0 && result.Messages.All(m => m.Deduplicated) ? 202 : 200, json => Write(json, result));

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
