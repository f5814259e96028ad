using System.Runtime.InteropServices;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.Telemetry;
using FuncStash.Wire;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary><c>POST /v2/batch</c> (protocol#batch); an item with <c>Upstash-Cron</c> makes a schedule.</summary>
public sealed class BatchResource(Acceptance acceptance, RunPublisher runs, FuncStashOptions options) : IResource
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
                requests.Add(Read(item, call.CallerIp, options) with { Trace = trace });
                answers.Add(null);
            }
            catch (QStashException refusal)
            {
                ThrowOfRun(item, refusal);
                answers.Add(new Accepted.Refused(refusal));
            }
        }
        var parts = new Queue<RunPublished?>(await PublishPartsAsync(requests, call.Aborted));
        var plain = requests.Where(request => RunRequest.Of(request) is null).ToList();
        var accepted = new Queue<Accepted>(plain.Count == 0 ? [] : await acceptance.AcceptAsync(plain, call.Aborted));
        var all = answers.ConvertAll(refused => refused is not null ? new Item(null, refused)
            : parts.Dequeue() is { } part ? new Item(part, null)
            : new Item(null, accepted.Dequeue()));
        // 202 only when nothing in it was new (protocol#batch).
        var status = all.Count > 0 && all.TrueForAll(item => item.IsDuplicate) ? 202 : 200;
        await call.JsonAsync(status, json =>
        {
            json.WriteStartArray();
            foreach (var item in all)
                item.Write(json);
            json.WriteEndArray();
        });
    }

    /// <summary>What became of an item: either a part of a run, or anything else.</summary>
    private sealed record Item(RunPublished? Part, Accepted? Plain)
    {
        public bool IsDuplicate => Part?.Deduplicated ?? PublishResource.IsDuplicate(Plain!);

        public void Write(Utf8JsonWriter json)
        {
            if (Part is not null)
                RunAnswer.Write(json, Part);
            else
                PublishResource.Write(json, Plain!);
        }
    }

    // All that belongs to runs or nothing of it, and before all else: the SDK reads a refusal off the status of the whole.
    private async ValueTask<IReadOnlyList<RunPublished?>> PublishPartsAsync(List<PublishRequest> requests, CancellationToken cancellation)
    {
        var found = requests.ConvertAll(RunRequest.Of);
        if (!found.Exists(part => part is not null))
            return new RunPublished?[requests.Count];
        if (!found.Contains(null))
            return await runs.PublishAsync(found!, cancellation);
        var published = new Queue<RunPublished>(await runs.PublishAsync([.. found.OfType<RunRequest>()], cancellation));
        return found.ConvertAll(part => part is null ? null : published.Dequeue());
    }

    internal static PublishRequest Read(JsonElement item, string callerIp, FuncStashOptions options)
    {
        var destination = item.Text("destination") ?? throw QStashException.BadRequest(Destination.Missing);
        var headers = item.Headers("headers") ?? HeaderMap.Empty;
        return new PublishRequest(destination, PublishSettingsReader.ParseNew(headers, options), item.Utf8("body") ?? [])
        {
            CallerIp = callerIp,
            QueueName = QueueOf(item),
        };
    }

    // Of a run the whole is refused, since its SDK does not look at the items.
    private static void ThrowOfRun(JsonElement item, QStashException refusal)
    {
        using var whole = WholeText.Parse(JsonMarshal.GetRawUtf8Value(item).ToArray());
        if (item.ValueKind != JsonValueKind.Object || JsonBody.Property(whole.RootElement, "headers") is not { ValueKind: JsonValueKind.Object } headers)
            return;
        var names = headers.EnumerateObject().ToLookup(header => header.Name, header => header.Value, StringComparer.OrdinalIgnoreCase);
        if (!names.Contains(RunHeaders.RunIdName))
            return;
        var isTrigger = names[RunHeaders.InitName].Any(init => init.ValueKind == JsonValueKind.String && RunHeaders.IsTriggerOf(init.GetString()));
        throw isTrigger ? refusal : RunRules.Refused(refusal);
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
