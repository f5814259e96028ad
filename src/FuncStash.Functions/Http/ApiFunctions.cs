using FuncStash.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace FuncStash.Functions.Http;

/// <summary>One function a resource of the protocol. It lets in every method and path below the resource: the routes are the service's own.</summary>
/// <remarks>The host matches routes in the order of the functions' names, so no route may reach into one of a later name.</remarks>
public sealed class ApiFunctions(Api api)
{
    private const AuthorizationLevel Open = AuthorizationLevel.Anonymous;

    [Function("Publish")]
    public Task Publish([HttpTrigger(Open, Route = "v2/publish/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Enqueue")]
    public Task Enqueue([HttpTrigger(Open, Route = "v2/enqueue/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Batch")]
    public Task Batch([HttpTrigger(Open, Route = "v2/batch/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Messages")]
    public Task Messages([HttpTrigger(Open, Route = "v2/messages/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Dlq")]
    public Task Dlq([HttpTrigger(Open, Route = "v2/dlq/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Events")]
    public Task Events([HttpTrigger(Open, Route = "v2/events/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Logs")]
    public Task Logs([HttpTrigger(Open, Route = "v2/logs/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Queues")]
    public Task Queues([HttpTrigger(Open, Route = "v2/queues/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("FlowControl")]
    public Task FlowControl([HttpTrigger(Open, Route = "v2/flowControl/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("GlobalParallelism")]
    public Task GlobalParallelism([HttpTrigger(Open, Route = "v2/globalParallelism/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Schedules")]
    public Task Schedules([HttpTrigger(Open, Route = "v2/schedules/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Topics")]
    public Task Topics([HttpTrigger(Open, Route = "v2/topics/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Keys")]
    public Task Keys([HttpTrigger(Open, Route = "v2/keys/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Workflows")]
    public Task Workflows([HttpTrigger(Open, Route = "v2/workflows/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Trigger")]
    public Task Trigger([HttpTrigger(Open, Route = "v2/trigger/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Wait")]
    public Task Wait([HttpTrigger(Open, Route = "v2/wait/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Notify")]
    public Task Notify([HttpTrigger(Open, Route = "v2/notify/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Waiters")]
    public Task Waiters([HttpTrigger(Open, Route = "v2/waiters/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Llm")]
    public Task Llm([HttpTrigger(Open, Route = "llm/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Console")]
    public Task Console([HttpTrigger(Open, Route = "console/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Overview")]
    public Task Overview([HttpTrigger(Open, Route = "v2/overview/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Settings")]
    public Task Settings([HttpTrigger(Open, Route = "v2/settings/{*rest}")] HttpRequest request) => AnswerAsync(request);

    [Function("Health")]
    public Task Health([HttpTrigger(Open, Route = "health")] HttpRequest request) => AnswerAsync(request);

    [Function("Ready")]
    public Task Ready([HttpTrigger(Open, Route = "ready")] HttpRequest request) => AnswerAsync(request);

    // Last by its name, hence the Z: what no other function has is refused by the service in its own words, or found behind a double slash.
    [Function("ZUnrouted")]
    public Task Unrouted([HttpTrigger(Open, Route = "{*rest}")] HttpRequest request) => AnswerAsync(request);

    // The token is checked by the service, as on every other host.
    private Task AnswerAsync(HttpRequest request)
    {
        FrontEnd.Restore(request.HttpContext);
        return api.HandleAsync(request.HttpContext);
    }
}
