using FuncStash.Access;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.UrlGroups;

namespace FuncStash.Http;

/// <summary><c>POST /v2/enqueue/{queue}/{destination}</c> (protocol#enqueue); with <c>Upstash-Cron</c> it makes a schedule whose runs are enqueued.</summary>
public sealed class EnqueueResource(Acceptance acceptance, UrlGroupStore groups, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("POST", "/v2/enqueue/{queue}/{destination*}", AccessLevel.Full, EnqueueAsync),
    ];

    private async Task EnqueueAsync(ApiCall call)
    {
        var queue = QueuesResource.NameOf(call);
        var request = await RequestReader.ReadAsync(call, call.Values[1], groups, options);
        await PublishResource.AnswerAsync(call, await acceptance.AcceptAsync(request with { QueueName = queue }, call.Aborted));
    }
}
