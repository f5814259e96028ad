using System.Text.Json.Nodes;
using FuncStash.Messages;

namespace FuncStash.Tests.Destinations;

/// <summary>Single attempts of a whole service, and what is told of them.</summary>
internal static class Attempts
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>Publishes without retries, makes the attempt, and gives the message's id.</summary>
    public static async Task<string> AttemptAsync(
        this TestService service, string url, string body = "", params (string Name, string Value)[] headers)
    {
        var id = await service.PublishAsync(url, body, [("Upstash-Retries", "0"), .. headers]);
        await service.DeliverDueAsync().WaitAsync(s_patience, TimeProvider.System);
        return id;
    }

    /// <summary>The same while the service's clock goes on, as fast as the machine allows.</summary>
    /// <returns>The id, and how much time has passed on that clock.</returns>
    public static async Task<(string Id, TimeSpan Passed)> AttemptInTimeAsync(
        this TestService service, string url, string body = "", params (string Name, string Value)[] headers)
    {
        var begun = service.Time.GetUtcNow();
        var id = await service.PublishAsync(url, body, [("Upstash-Retries", "0"), .. headers]);
        await service.PassTimeUntilAsync(service.DeliverDueAsync());
        return (id, service.Time.GetUtcNow() - begun);
    }

    /// <summary>Lets time pass on the service's clock, 100 ms for about 10 real ones, until something is done.</summary>
    public static async Task PassTimeUntilAsync(this TestService service, Task done)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!done.IsCompleted)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < s_patience, "it does not end");
            await Task.WhenAny(done, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System));
            if (!done.IsCompleted)
                service.Time.Advance(TimeSpan.FromMilliseconds(100));
        }
        await done;
    }

    public static async Task<MessageState> StateAsync(this TestService service, string id) =>
        (await service.MessageAsync(id))!.Progress.State;

    /// <summary>The log's ERROR entries of a message, oldest first.</summary>
    public static async Task<IReadOnlyList<JsonNode>> ErrorsAsync(this TestService service, string id)
    {
        var events = (await service.CallAsync("GET", $"/v2/events?order=earliestFirst&messageId={id}")).Json["events"]!.AsArray();
        return [.. events.Where(entry => (string?)entry!["state"] == "ERROR").Select(entry => entry!)];
    }

    /// <summary>The one dead letter of a message.</summary>
    public static async Task<JsonNode> DeadLetterAsync(this TestService service, string id)
    {
        var letters = (await service.CallAsync("GET", $"/v2/dlq?messageId={id}")).Json["messages"]!.AsArray();
        return Assert.Single(letters)!;
    }
}
