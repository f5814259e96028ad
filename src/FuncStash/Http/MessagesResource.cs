using FuncStash.Access;
using FuncStash.Messages;

namespace FuncStash.Http;

/// <summary><c>/v2/messages</c>: look at a message, cancel it (contract §7).</summary>
public sealed class MessagesResource(MessageStore messages, Cancellation cancellation, FuncStashOptions options, TimeProvider time)
    : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/messages/{id}", AccessLevel.Read, GetAsync),
        new("DELETE", "/v2/messages/{id}", AccessLevel.Full, CancelAsync),
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

    private async Task CancelAsync(ApiCall call)
    {
        var stored = await FindAsync(call);
        await cancellation.CancelAsync(stored.Id, call.Aborted);
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("cancelled", 1);
            json.WriteEndObject();
        });
    }

    // An ended message can be asked for a little longer, since its end may overtake the caller (contract §6.7).
    private async ValueTask<StoredMessage> FindAsync(ApiCall call)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return MessageId.TryParse(call.Values[0], out var id)
            && await messages.GetAsync(id, call.Aborted) is { } stored
            && (!stored.Ended || now - stored.Progress.EndedAt <= options.EndedGrace.TotalMilliseconds)
                ? stored
                : throw QStashException.NotFound($"message {call.Values[0]} not found");
    }
}
