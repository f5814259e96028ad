using FuncStash.Access;
using FuncStash.Cancelling;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Wire;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary><c>/v2/messages</c>: look at a message, cancel it (protocol#messages).</summary>
public sealed class MessagesResource(
    MessageStore messages, MessageCancellation cancellation, BulkCancellation bulk, WaitReader waits, AttemptReader attempts,
    SendAgain again, FuncStashOptions options, TimeProvider time) : IResource
{
    private const int MaxBulkCount = 500;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/messages/{id}", AccessLevel.Read, GetAsync),
        new("GET", "/v2/messages/{id}/wait", AccessLevel.Read, WaitAsync),
        new("GET", "/v2/messages/{id}/attempts", AccessLevel.Read, AttemptsAsync),
        new("POST", "/v2/messages/{id}/resend", AccessLevel.Full, ResendAsync),
        new("DELETE", "/v2/messages/{id}", AccessLevel.Full, CancelAsync),
        new("DELETE", "/v2/messages", AccessLevel.Full, CancelManyAsync),
    ];

    private async Task GetAsync(ApiCall call)
    {
        var stored = await FindAsync(call);
        var body = await messages.BodyAsync(stored.Message, call.Aborted);
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            MessageAnswer.WriteFields(json, stored.Message, body);
            json.WriteEndObject();
        });
    }

    // Not part of QStash.
    private async Task WaitAsync(ApiCall call)
    {
        var reason = await waits.ReadAsync(await FindAsync(call), call.Aborted);
        await WaitAnswer.WriteAsync(call, reason);
    }

    // Not part of QStash; as long as the log of the message is kept, and so is the next.
    private async Task AttemptsAsync(ApiCall call) =>
        await AttemptsAnswer.WriteAsync(call, await attempts.ReadAsync(await LookAsync(call), call.Aborted));

    private async Task ResendAsync(ApiCall call)
    {
        var published = await again.SendAsync(await LookAsync(call), call.CallerIp, cancellation: call.Aborted);
        await call.JsonAsync(200, json => PublishResource.Write(json, new PublishResult([published], IsGroup: false)));
    }

    private async Task CancelAsync(ApiCall call)
    {
        var stored = await FindAsync(call);
        await cancellation.CancelAsync(stored.Id, call.Aborted);
        await AnswerAsync(call, 1);
    }

    // With nothing named, everything is cancelled; so it is with an empty list of ids (protocol#bulk-cancel).
    private async Task CancelManyAsync(ApiCall call)
    {
        var parameters = new ListParameters(await ListParameters.OfBulkAsync(call), ["messageIds"], ["order"]);
        var ids = parameters.Ids("messageIds");
        var cancelled = ids.Count > 0
            ? await CancelAsync([.. ids.Where(text => MessageId.TryParse(text, out _)).Select(MessageId.Parse)], call.Aborted)
            : await bulk.CancelAsync(parameters.Filter, parameters.Count(int.MaxValue, MaxBulkCount), call.Aborted);
        await AnswerAsync(call, cancelled);
    }

    private async ValueTask<int> CancelAsync(IReadOnlyList<MessageId> ids, CancellationToken stop)
    {
        var cancelled = await bulk.CancelAsync(ids.Where(id => !id.IsOfRun), stop);
        foreach (var id in ids.Where(id => id.IsOfRun).Distinct())
            cancelled += await cancellation.CancelAsync(id, stop) ? 1 : 0;
        return cancelled;
    }

    // Whole numbers and nothing else: Go reads the answer as a map of them.
    private static Task AnswerAsync(ApiCall call, int cancelled) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("cancelled", cancelled);
        json.WriteEndObject();
    });

    private async ValueTask<StoredMessage> LookAsync(ApiCall call) =>
        MessageId.TryParse(call.Values[0], out var id) && await messages.LookAsync(id, call.Aborted) is { } stored
            ? stored
            : throw NotFound(call);

    // An ended message can be asked for a little longer, since its end may overtake the caller (protocol#messages).
    private async ValueTask<StoredMessage> FindAsync(ApiCall call)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return MessageId.TryParse(call.Values[0], out var id)
            && await messages.GetAsync(id, call.Aborted) is { } stored
            && (!stored.Ended || now - stored.Progress.EndedAt <= options.EndedGrace.TotalMilliseconds)
                ? stored
                : throw NotFound(call);
    }

    private static QStashException NotFound(ApiCall call) => QStashException.NotFound($"message {call.Values[0]} not found");
}
