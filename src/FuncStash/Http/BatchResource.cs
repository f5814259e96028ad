using System.Text;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Telemetry;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>POST /v2/batch</c> (contract §5.2).</summary>
public sealed class BatchResource(Publisher publisher, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes => [new("POST", "/v2/batch", AccessLevel.Full, PublishAsync)];

    private async Task PublishAsync(ApiCall call)
    {
        var body = await call.BodyAsync(options.MaxBatchBytes);
        using var document = JsonBody.Parse(body, JsonValueKind.Array);
        var refusals = new Dictionary<int, QStashException>();
        var requests = new List<PublishRequest>();
        var trace = TraceContext.Of(call.Request);
        var index = 0;
        foreach (var item in document.RootElement.EnumerateArray())
        {
            try
            {
                requests.Add(Read(item, call.CallerIp) with { Trace = trace });
            }
            catch (QStashException refusal)
            {
                refusals[index] = refusal;
            }
            index++;
        }
        var results = new Queue<(PublishResult? Result, QStashException? Refusal)>(await publisher.PublishAsync(requests, call.Aborted));
        var answers = Enumerable.Range(0, index)
            .Select(i => refusals.TryGetValue(i, out var refusal) ? (null, refusal) : results.Dequeue())
            .ToList();
        // 202 only when nothing in it was new (contract §5.2).
        var allDuplicates = answers.Count > 0 && answers.TrueForAll(a => a.Result?.Messages.All(m => m.Deduplicated) == true);
        await call.JsonAsync(allDuplicates ? 202 : 200, json => Write(json, answers));
    }

    private PublishRequest Read(JsonElement item, string callerIp)
    {
        var destination = item.Text("destination") ?? throw QStashException.BadRequest("destination is missing");
        var headers = item.Headers("headers") ?? HeaderMap.Empty;
        return new PublishRequest(destination, PublishSettingsReader.Parse(headers, options), Encoding.UTF8.GetBytes(item.Text("body") ?? ""))
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

    private static void Write(Utf8JsonWriter json, List<(PublishResult? Result, QStashException? Refusal)> answers)
    {
        json.WriteStartArray();
        foreach (var (result, refusal) in answers)
        {
            if (result is not null)
            {
                PublishResource.Write(json, result);
                continue;
            }
            ErrorJson.Write(json, refusal!.Message);
        }
        json.WriteEndArray();
    }
}
