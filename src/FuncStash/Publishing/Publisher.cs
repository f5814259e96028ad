using FuncStash.Admission;
using FuncStash.Cancelling;
using FuncStash.Deduplication;
using FuncStash.Headers;
using FuncStash.Llm;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Telemetry;
using FuncStash.UrlGroups;
using FuncStash.Wire;

namespace FuncStash.Publishing;

/// <summary>Accepts messages: resolves the destination, deduplicates, stores. What it returned is never lost.</summary>
public sealed partial class Publisher(
    MessageStore messages, AdmissionService admission, Cancellation cancelling, MessageIds ids, UrlGroupStore groups,
    Deduplicator deduplicator, PublishCheck check, FuncStashOptions options, TimeProvider time)
{
    /// <summary>Retries of a message that asks for none in particular (protocol#headers).</summary>
    public const int DefaultRetries = 3;

    /// <exception cref="QStashException">400, 404 or 413 for a publish that is refused; nothing of it is left behind.</exception>
    public async ValueTask<PublishResult> PublishAsync(PublishRequest request, CancellationToken cancellation = default)
    {
        using var span = Tracing.StartPublish(request.Trace);
        try
        {
            var draft = await DraftAsync(request, null, cancellation);
            if (request.BeforeStoring is { } before)
                await before([.. draft.Parts.Select(part => part.Message.Id)], cancellation);
            await StoreAsync(draft.Parts, cancellation);
            return draft.Result;
        }
        catch (QStashException refusal)
        {
            Tracing.Refused(span, refusal.Status);
            throw;
        }
    }

    /// <summary>Tells what a publish would be refused for, and stores nothing.</summary>
    /// <exception cref="QStashException">The refusal.</exception>
    public async ValueTask CheckAsync(PublishRequest request, CancellationToken cancellation = default) =>
        await DraftAsync(request, null, cancellation);

    /// <summary>Accepts a message that is made already, as a retried dead letter is; one of its id is stored once.</summary>
    /// <param name="message">The message, its payload in <see cref="Message.Body"/>.</param>
    /// <param name="deduplicationKey">The id under which it is not to be accepted twice; null for none.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async ValueTask<Published> PublishAsync(
        Message message, string? deduplicationKey, CancellationToken cancellation = default)
    {
        CheckSize(message);
        var part = new Part(message, deduplicationKey, Once: true, IsAgain: true);
        await StoreAsync([part], cancellation);
        return part.Result!;
    }

    /// <summary>Publishes many; one that is refused does no harm to the others (protocol#batch).</summary>
    /// <returns>For each request its result, or why it was refused.</returns>
    public async ValueTask<IReadOnlyList<(PublishResult? Result, QStashException? Refusal)>> PublishAsync(
        IReadOnlyList<PublishRequest> requests, CancellationToken cancellation = default)
    {
        using var span = Tracing.StartPublish(requests.Count > 0 ? requests[0].Trace : null, requests.Count);
        var drafts = new List<(Draft? Draft, QStashException? Refusal)>(requests.Count);
        for (var i = 0; i < requests.Count; i++)
        {
            try
            {
                // A hundred in a row share a partition, and so a transaction.
                var shard = ids.ShardOf(i / 100);
                drafts.Add((await DraftAsync(requests[i], shard, cancellation), null));
            }
            catch (QStashException refusal)
            {
                drafts.Add((null, refusal));
            }
        }
        if (drafts.Count > 0 && drafts.TrueForAll(d => d.Refusal is not null))
            Tracing.Refused(span, drafts[0].Refusal!.Status);
        await StoreAsync([.. drafts.Where(d => d.Draft is not null).SelectMany(d => d.Draft!.Parts)], cancellation);
        return [.. drafts.Select(d => (d.Draft?.Result, d.Refusal))];
    }

    /// <param name="IsAgain">True for what may have been stored before, by a call that died.</param>
    private sealed record Part(Message Message, string? DeduplicationKey, bool Once, bool IsAgain = false)
    {
        public Published? Result { get; set; }
    }

    private sealed record Draft(IReadOnlyList<Part> Parts, bool IsGroup)
    {
        public PublishResult Result => new([.. Parts.Select(part => part.Result!)], IsGroup);
    }

    private async ValueTask<Draft> DraftAsync(PublishRequest request, int? shard, CancellationToken cancellation)
    {
        if (request.Body.Length > options.MaxBodyBytes)
            throw new QStashException(413, $"message is too big: {request.Body.Length} bytes, at most {options.MaxBodyBytes}");
        if (!Destination.TryParse(request.Destination, out var destination, out var error))
            throw QStashException.BadRequest(error);
        // A schedule that fires has nobody who would hear that a name is gone: its message is retried, and its log tells.
        var resolves = request.Cause is null;
        switch (destination)
        {
            case Destination.Url url:
                await check.UrlAsync("destination url", url.Text, resolves, cancellation);
                await check.CallbacksAsync(request.Settings, resolves, cancellation);
                return new Draft([CreatePart(request, request.Settings, new Endpoint(null, url.Text), shard)], IsGroup: false);
            case Destination.Group name:
                var group = await groups.GetAsync(name.Name, cancellation)
                    ?? throw QStashException.NotFound($"topic {name.Name} not found");
                var defaults = PublishSettingsReader.Parse(group.Headers, options);
                // When and how often it publishes is the schedule's own.
                var settings = request.Settings.Or(request.ScheduleId is null ? defaults : defaults.OfSchedule());
                await check.CallbacksAsync(settings, resolves, cancellation);
                var shared = shard ?? ids.AnyShard();
                return new Draft(
                    [.. group.Endpoints.Select(e => CreatePart(request, settings, e, shared, group.Name))], IsGroup: true);
            default:
                await check.CallbacksAsync(request.Settings, resolves, cancellation);
                return new Draft([CreateLlmPart(request, shard)], IsGroup: false);
        }
    }

    // Only a callback brings the answer of a model (protocol#llm).
    private Part CreateLlmPart(PublishRequest request, int? shard)
    {
        if (request.Settings.Callback is null)
            throw QStashException.BadRequest("api/llm needs a callback: set Upstash-Callback");
        var url = LlmProvider.UrlOf(options)
            ?? throw QStashException.BadRequest("api/llm is not available: no LLM base URL is configured");
        var header = request.Settings.Header;
        var settings = request.Settings with
        {
            Method = "POST",
            Header = header.Contains("Content-Type") ? header : header.With("Content-Type", "application/json"),
        };
        var part = CreatePart(request, settings, new Endpoint(null, url), shard);
        return part with { Message = part.Message with { Api = LlmProvider.Api } };
    }

    // The queue's next message would wait for the callback all that time (protocol#callback-settings).
    internal static void CheckCallbackDelay(string? queue, CallbackSettings? callback, CallbackSettings? failure)
    {
        if (queue is not null && (DelayOf("Upstash-Callback", callback) ?? DelayOf("Upstash-Failure-Callback", failure)) is { } delay)
            throw QStashException.BadRequest($"invalid {delay}: callbacks of queued messages cannot be delayed");

        // Of the callback or, since these hold the place too, of a callback of its own.
        static string? DelayOf(string name, CallbackSettings? callback) =>
            callback is null ? null : NestedNames.FindInnermost(name, callback.Settings, "Upstash-Delay", "Upstash-Not-Before");
    }

    private Part CreatePart(PublishRequest request, PublishSettings settings, Endpoint endpoint, int? shard, string? topic = null)
    {
        CheckCallbackDelay(request.QueueName ?? settings.QueueName, settings.Callback, settings.FailureCallback);
        // What has a cause has an id of its own; a fixed one would swallow other occurrences of a schedule.
        var key = request.Cause is not null ? null : settings.DeduplicationId
            ?? (settings.ContentBasedDeduplication is true ? Deduplicator.ContentKey(request.Destination, settings.Header, request.Body)
                : request.Once is { } once ? Deduplicator.OnceKey(once) : null);
        // In a group every endpoint has its own first message (protocol#deduplication).
        if (key is not null && topic is not null)
            key = $"{key}:{topic}:{endpoint.Url}";
        return new Part(CreateMessage(request, settings, endpoint, shard, topic), key, key is not null || request.Cause is not null);
    }

    private Message CreateMessage(PublishRequest request, PublishSettings settings, Endpoint endpoint, int? shard, string? topic)
    {
        // Due by the clock, which an id may be ahead of.
        var now = Now;
        settings.CheckDue(now, options);
        var id = request.Cause is { } cause ? MessageId.FromCause($"{cause.Text}|{endpoint.Url}", cause.At) : ids.Next(shard, now);
        var message = settings.ApplyTo(
            new Message
            {
                Id = id,
                Url = endpoint.Url,
                Body = request.Body,
                MaxRetries = DefaultRetries,
                TopicName = topic,
                EndpointName = endpoint.Name,
                QueueName = request.QueueName ?? settings.QueueName,
                ScheduleId = request.ScheduleId,
                CallerIp = request.CallerIp,
            },
            request.Cause?.At ?? now);
        CheckSize(message);
        return message.Traced(request.Trace);
    }

    // Those of the publish and of its URL group together, as they are stored.
    private static void CheckSize(Message message)
    {
        if (MessageRows.SpecBytes(message) is var bytes && bytes > MessageRows.MaxSpecBytes)
        {
            throw new QStashException(
                413, $"the headers and settings of the message are too big: {bytes} bytes as they are stored, at most {MessageRows.MaxSpecBytes}");
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
