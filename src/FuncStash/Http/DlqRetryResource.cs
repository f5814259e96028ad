using FuncStash.Access;
using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>POST /v2/dlq/retry</c>: sends dead letters again (protocol#dead-letter-retry).</summary>
/// <remarks>Settings in the request's <c>Upstash-*</c> headers override those the messages had.</remarks>
public sealed class DlqRetryResource(DeadLetterReader reader, DeadLetterRetry retry, PublishCheck check, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("POST", "/v2/dlq/retry/{id}", AccessLevel.Full, RetryAsync),
        new("POST", "/v2/dlq/retry", AccessLevel.Full, RetryManyAsync),
    ];

    private async Task RetryAsync(ApiCall call)
    {
        var changes = await ChangesAsync(call);
        if (!DlqId.TryParse(call.Values[0], out var id) || await retry.RetryAsync(id, changes, call.Aborted) is not { } published)
            throw QStashException.NotFound($"dlq message {call.Values[0]} not found");
        await call.JsonAsync(201, json => PublishResource.Write(json, new PublishResult([published], IsGroup: false)));
    }

    private async Task RetryManyAsync(ApiCall call)
    {
        var query = await DlqParameters.OfBulkAsync(call);
        var changes = await ChangesAsync(call);
        var page = query is null or { Ids: not null } ? new DeadLetterPage([], null) : await reader.ListAsync(query, call.Aborted);
        if (query?.Ids is { } ids && await reader.ReadAsync(query, call.Aborted).CountAsync(call.Aborted) < ids.Count)
            throw QStashException.NotFound("some messages were not found");
        var published = await retry.RetryAsync(query?.Ids ?? page.Letters.Select(letter => letter.Id), changes, call.Aborted);
        await call.JsonAsync(201, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("responses");
            foreach (var message in published)
                PublishResource.Write(json, new PublishResult([message], IsGroup: false));
            json.WriteEndArray();
            json.WriteIf("cursor", page.Next);
            json.WriteEndObject();
        });
    }

    private ValueTask<PublishSettings> ChangesAsync(ApiCall call) =>
        DlqParameters.ChangesAsync(call, check, options, "a dead letter is sent again once, it cannot become a schedule");
}
