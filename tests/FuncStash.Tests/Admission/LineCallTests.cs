
namespace FuncStash.Tests.Admission;

/// <summary>Who is in a queue or at a key, and who is next (protocol#lines).</summary>
public sealed class LineCallTests
{
    [Fact]
    public async Task A_queue_tells_who_is_in_who_is_next_and_since_when_somebody_waits()
    {
        await using var service = new TestService();
        var ids = new List<string>();
        var start = service.Now;
        foreach (var name in (string[])["a", "b", "c"])
        {
            ids.Add((string)(await service.CallAsync("POST", "/v2/enqueue/orders/https://example.com/" + name)).Json["messageId"]!);
            service.Time.Advance(TimeSpan.FromSeconds(1));
        }

        var line = (await service.CallAsync("GET", "/v2/queues/orders/line?count=1")).Json;

        Assert.Equal((2, 1), ((int)line["waiting"]!, (int)line["inFlight"]!));
        Assert.Equal(ids[0], (string)Assert.Single(line["inFlightMessageIds"]!.AsArray())!);
        Assert.Equal(ids[1], (string)Assert.Single(line["nextMessageIds"]!.AsArray())!);
        Assert.Equal(start + 1000, (long)line["oldestDueAt"]!);
        Assert.Null(line["pausedAt"]);
    }

    [Fact]
    public async Task The_time_of_a_pause_is_that_of_the_pause_and_ends_with_it()
    {
        await using var service = new TestService();
        await service.CallAsync("POST", "/v2/flowControl/acme/pause");
        var paused = service.Now;
        service.Time.Advance(TimeSpan.FromMinutes(1));
        await service.CallAsync("POST", "/v2/flowControl/acme/pause");
        await service.CallAsync("POST", "/v2/flowControl/acme/pin?rate=3");

        Assert.Equal(paused, (long)(await service.CallAsync("GET", "/v2/flowControl/acme/line")).Json["pausedAt"]!);
        await service.CallAsync("POST", "/v2/flowControl/acme/resume");
        Assert.Null((await service.CallAsync("GET", "/v2/flowControl/acme/line")).Json["pausedAt"]);
    }

    [Theory]
    [InlineData("/v2/queues/none/line", 404)]
    [InlineData("/v2/flowControl/none/line", 404)]
    [InlineData("/v2/queues/no+name/line", 400)]
    [InlineData("/v2/queues/none/line?count=x", 400)]
    [InlineData("/v2/flowControl/none/line?unknown=1", 400)]
    public async Task What_is_not_there_or_not_possible_is_refused(string target, int status)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync("GET", target);

        Assert.Equal(status, answer.Status);
        Assert.NotEmpty(answer.Error);
    }
}
