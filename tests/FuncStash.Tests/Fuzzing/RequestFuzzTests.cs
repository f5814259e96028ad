using System.Text.Json;
using FuncStash.Http;

namespace FuncStash.Tests.Fuzzing;

/// <summary>
/// Whatever is asked, the API answers in JSON, refuses in words, and never says that the fault is its own; 501 says that no model
/// is set up.
/// </summary>
public sealed class RequestFuzzTests
{
    // Each service keeps what was made in it: the lists of a short life are short.
    private const int RequestsAService = 250;

    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(20), s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Requests()
    {
        await using var first = new TestService();
        var requests = FuzzRequest.To(first.All<IResource>().SelectMany(resource => resource.Routes));
        foreach (var chunk in FuzzRun.Inputs(requests, FuzzRun.Count(5_000)).Chunk(RequestsAService))
        {
            await using var service = new TestService();
            foreach (var (number, request) in chunk)
                await PlayAsync(service, number, request);
            foreach (var list in (string[])["/v2/events", "/v2/dlq", "/v2/schedules", "/v2/topics", "/v2/queues", "/v2/flowControl"])
                Assert.Equal(200, (await service.CallAsync("GET", list)).Status);
        }
    }

    private static async Task PlayAsync(TestService service, int number, FuzzRequest request)
    {
        var call = service.CallAsync(request.Method, request.Target, request.Body, null, request.Headers);
        // The service's time stands still, and what met somebody else's change waits a moment of it before it tries again.
        var start = TimeProvider.System.GetTimestamp();
        while (await Task.WhenAny(call, Task.Delay(s_moment, TimeProvider.System)) != call)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, $"input {number}: {request} has no answer");
            service.Time.Advance(s_moment);
        }

        var answer = await call;
        var told = $"input {number}: {request} -> {answer.Status} {answer.Text}";
        Assert.True(answer.Status is (>= 200 and < 500) or 501, told);
        var isJson = answer.ContentType?.StartsWith("application/json", StringComparison.Ordinal) == true && answer.Text.Length > 0;
        if (answer.Status >= 400 && request.Method != "HEAD")
            Assert.True(isJson, told);
        if (!isJson)
            return;
        using var json = JsonDocument.Parse(answer.Text);
        if (answer.Status >= 400)
            Assert.True(json.RootElement.GetProperty("error").GetString()!.Length >= 5, told);
    }
}
