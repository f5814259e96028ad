using System.Text.Json;
using FuncStash.Access;
using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.Telemetry;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>POST /v2/batch</c> (protocol#batch); an item with <c>Upstash-Cron</c> makes a schedule.</summary>
public sealed class BatchResource(Acceptance acceptance, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes => [new("POST", "/v2/batch", AccessLevel.Full, PublishAsync)];

    private async Task PublishAsync(ApiCall call)
    {
        var body = await call.BodyAsync(options.MaxBatchBytes);
        using var document = JsonBody.Parse(body, JsonValueKind.Array);
        var answers = new List<Accepted?>();
        var requests = new List<PublishRequest>();
        var trace = TraceContext.Of(call.Request);
        foreach (var item in document.RootElement.EnumerateArray())
        {
            try
            {
                requests.Add(Read(item, call.CallerIp) with { Trace = trace });
                answers.Add(null);
            }
            catch (QStashException refusal)
            {
                answers.Add(new Accepted.Refused(refusal));
            }
        }
        var accepted = new Queue<Accepted>(await acceptance.AcceptAsync(requests, call.Aborted));
        var all = answers.ConvertAll(answer => answer ?? accepted.Dequeue());
        // 202 only when nothing in it was new (protocol#batch).
        var status = all.Count > 0 && all.TrueForAll(PublishResource.IsDuplicate) ? 202 : 200;
        await call.JsonAsync(status, json =>
        {
            json.WriteStartArray();
            foreach (var answer in all)
                PublishResource.Write(json, answer);
            json.WriteEndArray();
        });
    }

    private PublishRequest Read(JsonElement item, string callerIp)
    {
        var destination = item.Text("destination") ?? throw QStashException.BadRequest(Destination.Missing);
        var headers = item.Headers("headers") ?? HeaderMap.Empty;
        return new PublishRequest(destination, PublishSettingsReader.Parse(headers, options), item.Utf8("body") ?? [])
        {
            CallerIp = callerIp,
            QueueName = QueueOf(item),
        };
    }

    // Python sends null for no queue, Go an empty text.
    private static string? QueueOf(JsonElement item)
    {
        var name = item.Text("queue");
        if (string.IsNullOrEmpty(name))
            return null;
        return ResourceName.IsValid(name)
            ? name
            : throw QStashException.BadRequest($"invalid queue: {name}: it is {ResourceName.Rule}");
    }
}
