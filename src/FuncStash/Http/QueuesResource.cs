using System.Text.Json;
using FuncStash.Access;
using FuncStash.Queues;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>/v2/queues</c> (protocol#queues).</summary>
public sealed class QueuesResource(QueueService queues, PageAnswer pages, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("POST", "/v2/queues", AccessLevel.Full, UpsertAsync),
        new("GET", "/v2/queues", AccessLevel.Read, ListAsync),
        new("GET", "/v2/queues/{name}", AccessLevel.Read, GetAsync),
        new("GET", "/v2/queues/{name}/line", AccessLevel.Read, LineAsync),
        new("DELETE", "/v2/queues/{name}", AccessLevel.Full, DeleteAsync),
        new("POST", "/v2/queues/{name}/pause", AccessLevel.Full, call => SetPausedAsync(call, true)),
        new("POST", "/v2/queues/{name}/resume", AccessLevel.Full, call => SetPausedAsync(call, false)),
    ];

    private async Task UpsertAsync(ApiCall call)
    {
        using var body = JsonBody.Parse(await call.BodyAsync(options.MaxBodyBytes), JsonValueKind.Object);
        var name = body.RootElement.Text("queueName") ?? throw QStashException.BadRequest("queueName is missing");
        await queues.UpsertAsync(name, body.RootElement.Number("parallelism"), body.RootElement.Flag("paused"));
        await call.OkAsync();
    }

    private Task ListAsync(ApiCall call) => pages.WriteAllAsync(call, queues.ListAsync(call.Aborted), Write);

    private async Task GetAsync(ApiCall call)
    {
        var queue = await FindAsync(call);
        await call.JsonAsync(200, json => Write(json, queue));
    }

    // Not part of QStash.
    private async Task LineAsync(ApiCall call) => await LineAnswer.WriteAsync(
        call, await queues.LineAsync(NameOf(call), LineAnswer.CountOf(call), call.Aborted)
            ?? throw QStashException.NotFound($"queue {call.Values[0]} not found"));

    private async Task DeleteAsync(ApiCall call)
    {
        await queues.DeleteAsync(NameOf(call), call.Aborted);
        await call.OkAsync();
    }

    private async Task SetPausedAsync(ApiCall call, bool paused)
    {
        await queues.UpsertAsync((await FindAsync(call)).Name, null, paused);
        await call.OkAsync();
    }

    private async ValueTask<QueueInfo> FindAsync(ApiCall call) =>
        await queues.GetAsync(NameOf(call), call.Aborted) ?? throw QStashException.NotFound($"queue {call.Values[0]} not found");

    internal static string NameOf(ApiCall call) => QueueService.Checked(call.Values[0]);

    private static void Write(Utf8JsonWriter json, QueueInfo queue)
    {
        json.WriteStartObject();
        json.WriteString("name", queue.Name);
        json.WriteNumber("createdAt", queue.CreatedAt);
        json.WriteNumber("updatedAt", queue.UpdatedAt);
        json.WriteNumber("parallelism", queue.Parallelism);
        json.WriteBoolean("paused", queue.Paused);
        json.WriteNumber("lag", queue.Lag);
        json.WriteEndObject();
    }
}
