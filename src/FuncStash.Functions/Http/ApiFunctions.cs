using FuncStash.Functions.Waiting;
using FuncStash.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FuncStash.Functions.Http;

/// <summary>One function a resource of the protocol. It lets in every method and path below the resource: the routes are the service's own.</summary>
/// <remarks>The host matches routes in the order of the functions' names, so no route may reach into one of a later name.</remarks>
public sealed class ApiFunctions(Api api, DurableAlarms alarms)
{
    private const AuthorizationLevel Open = AuthorizationLevel.Anonymous;

    [Function("Publish")]
    public Task Publish([HttpTrigger(Open, Route = "v2/publish/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Enqueue")]
    public Task Enqueue([HttpTrigger(Open, Route = "v2/enqueue/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Batch")]
    public Task Batch([HttpTrigger(Open, Route = "v2/batch/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Messages")]
    public Task Messages([HttpTrigger(Open, Route = "v2/messages/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Dlq")]
    public Task Dlq([HttpTrigger(Open, Route = "v2/dlq/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Events")]
    public Task Events([HttpTrigger(Open, Route = "v2/events/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Logs")]
    public Task Logs([HttpTrigger(Open, Route = "v2/logs/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Queues")]
    public Task Queues([HttpTrigger(Open, Route = "v2/queues/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("FlowControl")]
    public Task FlowControl([HttpTrigger(Open, Route = "v2/flowControl/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("GlobalParallelism")]
    public Task GlobalParallelism([HttpTrigger(Open, Route = "v2/globalParallelism/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Schedules")]
    public Task Schedules([HttpTrigger(Open, Route = "v2/schedules/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Topics")]
    public Task Topics([HttpTrigger(Open, Route = "v2/topics/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Keys")]
    public Task Keys([HttpTrigger(Open, Route = "v2/keys/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Workflows")]
    public Task Workflows([HttpTrigger(Open, Route = "v2/workflows/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Trigger")]
    public Task Trigger([HttpTrigger(Open, Route = "v2/trigger/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Wait")]
    public Task Wait([HttpTrigger(Open, Route = "v2/wait/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Notify")]
    public Task Notify([HttpTrigger(Open, Route = "v2/notify/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Waiters")]
    public Task Waiters([HttpTrigger(Open, Route = "v2/waiters/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Llm")]
    public Task Llm([HttpTrigger(Open, Route = "llm/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Console")]
    public Task Console([HttpTrigger(Open, Route = "console/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Health")]
    public Task Health([HttpTrigger(Open, Route = "health")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    [Function("Ready")]
    public Task Ready([HttpTrigger(Open, Route = "ready")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    // Last by its name, hence the Z: what no other function has is refused by the service in its own words, or found behind a double slash.
    [Function("ZUnrouted")]
    public Task Unrouted([HttpTrigger(Open, Route = "{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient durable) =>
        AnswerAsync(request, durable);

    // The token is checked by the service, as on every other host.
    private Task AnswerAsync(HttpRequest request, DurableTaskClient durable)
    {
        alarms.Use(durable);
        FrontEnd.Restore(request.HttpContext);
        return api.HandleAsync(request.HttpContext);
    }
}
