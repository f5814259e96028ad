using System.Text.Json;
using FuncStash.Access;
using FuncStash.DeadLetters;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>/v2/dlq</c>: the dead letters (protocol#dead-letters).</summary>
public sealed class DlqResource(DeadLetterStore letters, DeadLetterReader reader) : IResource
{
    private const int SideBySide = 16;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/dlq", AccessLevel.Read, ListAsync),
        new("GET", "/v2/dlq/{id}", AccessLevel.Read, GetAsync),
        new("DELETE", "/v2/dlq/{id}", AccessLevel.Full, DeleteAsync),
        new("DELETE", "/v2/dlq", AccessLevel.Full, DeleteManyAsync),
    ];

    private async Task ListAsync(ApiCall call)
    {
        var page = DlqParameters.OfList(call) is { } query
            ? await reader.ListAsync(query, call.Aborted)
            : new DeadLetterPage([], null);
        // One that is removed meanwhile may have taken its payload along.
        var found = new List<(DeadLetter Letter, byte[] Body)>(page.Letters.Count);
        foreach (var letter in page.Letters)
        {
            if (await BodyAsync(letter, call.Aborted) is { } body)
                found.Add((letter, body));
        }
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("messages");
            foreach (var (letter, body) in found)
                Write(json, letter, body);
            json.WriteEndArray();
            json.WriteIf("cursor", page.Next);
            json.WriteEndObject();
        });
    }

    private async Task GetAsync(ApiCall call)
    {
        var letter = DlqId.TryParse(call.Values[0], out var id) ? await letters.GetAsync(id, call.Aborted) : null;
        if (letter is null || await BodyAsync(letter, call.Aborted) is not { } body)
            throw NotFound(call);
        await call.JsonAsync(200, json => Write(json, letter, body));
    }

    private async Task DeleteAsync(ApiCall call)
    {
        if (!DlqId.TryParse(call.Values[0], out var id) || !await letters.RemoveAsync(id, call.Aborted))
            throw NotFound(call);
        await AnswerAsync(call, 1, null);
    }

    private async Task DeleteManyAsync(ApiCall call)
    {
        var query = await DlqParameters.OfBulkAsync(call);
        var page = query is null ? new DeadLetterPage([], null) : await reader.ListAsync(query, call.Aborted);
        var deleted = 0;
        foreach (var some in page.Letters.Chunk(SideBySide))
        {
            var results = await Task.WhenAll(some.Select(letter => letters.RemoveAsync(letter.Id, call.Aborted).AsTask()));
            deleted += results.Count(removed => removed);
        }
        await AnswerAsync(call, deleted, page.Next);
    }

    private static Task AnswerAsync(ApiCall call, int deleted, string? cursor) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("deleted", deleted);
        json.WriteIf("cursor", cursor);
        json.WriteEndObject();
    });

    // Null when the letter is gone, payload and all.
    private async ValueTask<byte[]?> BodyAsync(DeadLetter letter, CancellationToken cancellation)
    {
        try
        {
            return await letters.BodyAsync(letter, cancellation);
        }
        catch (InvalidDataException)
        {
            if (await letters.GetAsync(letter.Id, cancellation) is null)
                return null;
            throw;
        }
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
