using System.Globalization;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.DeadLetters;
using FuncStash.Messages;

namespace FuncStash.Http;

/// <summary><c>/v2/dlq</c>: the dead letters (contract §14).</summary>
public sealed class DlqResource(DeadLetterStore letters, DeadLetterReader reader) : IResource
{
    private const int MaxCount = 100;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/dlq", AccessLevel.Read, ListAsync),
        new("GET", "/v2/dlq/{id}", AccessLevel.Read, GetAsync),
        new("DELETE", "/v2/dlq/{id}", AccessLevel.Full, DeleteAsync),
    ];

    private async Task ListAsync(ApiCall call)
    {
        var parameters = new ListParameters(call.Target, "dlqIds", "responseStatus", "source");
        var page = await reader.ListAsync(QueryOf(parameters), call.Aborted);
        var bodies = new List<byte[]>(page.Letters.Count);
        foreach (var letter in page.Letters)
            bodies.Add(await letters.BodyAsync(letter, call.Aborted));
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("messages");
            for (var i = 0; i < bodies.Count; i++)
                Write(json, page.Letters[i], bodies[i]);
            json.WriteEndArray();
            json.WriteIf("cursor", page.Next);
            json.WriteEndObject();
        });
    }

    private static DeadLetterQuery QueryOf(ListParameters parameters) => new()
    {
        Filter = parameters.Filter,
        Count = parameters.Count(MaxCount, MaxCount),
        LatestFirst = !parameters.EarliestFirst(byDefault: true),
        ResponseStatuses = MessageFilter.Alternatives(parameters.Values("responseStatus"))
            .Select(text => int.TryParse(text, CultureInfo.InvariantCulture, out var status) ? status : -1).ToHashSet(),
        Ids = [.. MessageFilter.Alternatives(parameters.Values("dlqIds"))
            .Select(text => DlqId.TryParse(text, out var id) ? id : default)],
        After = parameters.Cursor is not { } cursor ? null
            : DlqId.TryParse(cursor, out var after) ? after
            : throw QStashException.BadRequest($"invalid cursor: {cursor}"),
    };

    private async Task GetAsync(ApiCall call)
    {
        var letter = DlqId.TryParse(call.Values[0], out var id) ? await letters.GetAsync(id, call.Aborted) : null;
        if (letter is null)
            throw NotFound(call);
        var body = await letters.BodyAsync(letter, call.Aborted);
        await call.JsonAsync(200, json => Write(json, letter, body));
    }

    private async Task DeleteAsync(ApiCall call)
    {
        if (!DlqId.TryParse(call.Values[0], out var id) || !await letters.RemoveAsync(id, call.Aborted))
            throw NotFound(call);
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("deleted", 1);
            json.WriteEndObject();
        });
    }

    private static QStashException NotFound(ApiCall call) => QStashException.NotFound($"dlq message {call.Values[0]} not found");

    private static void Write(Utf8JsonWriter json, DeadLetter letter, byte[] body)
    {
        json.WriteStartObject();
        json.WriteString("dlqId", letter.Id.ToString());
        MessageAnswer.WriteFields(json, letter.Message, body);
        json.WriteNumber("responseStatus", letter.ResponseStatus);
        json.WritePropertyName("responseHeader");
        MessageAnswer.WriteHeader(json, letter.ResponseHeader);
        MessageAnswer.WriteBody(json, "responseBody", "responseBodyBase64", letter.ResponseBody, redacted: false);
        json.WriteIf("error", letter.Error);
        json.WriteEndObject();
    }
}
