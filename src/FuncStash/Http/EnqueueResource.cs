using FuncStash.Access;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.UrlGroups;

namespace FuncStash.Http;

/// <summary><c>POST /v2/enqueue/{queue}/{destination}</c> (contract §5.1).</summary>
public sealed class EnqueueResource(Publisher publisher, UrlGroupStore groups, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("POST", "/v2/enqueue/{queue}/{destination*}", AccessLevel.Full, EnqueueAsync),
    ];

    private async Task EnqueueAsync(ApiCall call)
    {
        var queue = QueuesResource.NameOf(call);
        var request = await RequestReader.ReadAsync(call, call.Values[1], groups, options);
        await PublishResource.AnswerAsync(call, await publisher.PublishAsync(request with { QueueName = queue }, call.Aborted));
    }
}
