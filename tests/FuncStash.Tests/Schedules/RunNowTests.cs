
namespace FuncStash.Tests.Schedules;

/// <summary>Run now, and the next times (protocol#run-now-and-next-times).</summary>
public sealed class RunNowTests
{
    [Fact]
    public async Task It_publishes_what_the_schedule_does_once_more_and_leaves_its_times_alone()
    {
        await using var service = new TestService();
        await service.CallAsync("POST", "/v2/schedules/https://example.com/run", new string('x', 100_000), null,
            ("Upstash-Cron", "0 9 * * *"), ("Upstash-Schedule-Id", "nightly"), ("Upstash-Queue-Name", "orders"), ("Upstash-Retries", "7"));
        var before = (await service.CallAsync("GET", "/v2/schedules/nightly")).Text;

        var first = await service.CallAsync("POST", "/v2/schedules/nightly/run");
        var second = await service.CallAsync("POST", "/v2/schedules/nightly/run");

        Assert.Equal((200, 200), (first.Status, second.Status));
        Assert.NotEqual((string)first.Json["messageId"]!, (string)second.Json["messageId"]!);
        var message = (await service.CallAsync("GET", "/v2/messages/" + first.Json["messageId"])).Json;
        Assert.Equal(("nightly", "orders", 7), ((string)message["scheduleId"]!, (string)message["queueName"]!, (int)message["maxRetries"]!));
        Assert.Equal(100_000, ((string)message["body"]!).Length);
        Assert.Equal(before, (await service.CallAsync("GET", "/v2/schedules/nightly")).Text);
    }

    [Fact]
    public async Task A_path_that_ends_so_is_a_destination_where_there_is_a_cron_expression()
    {
        await using var service = new TestService();

        Assert.Equal(404, (await service.CallAsync("POST", "/v2/schedules/nightly/run")).Status);
        Assert.Equal(200, (await service.CallAsync("POST", "/v2/schedules/https://example.com/run", "", null, ("Upstash-Cron", "0 9 * * *"))).Status);
    }

    [Fact]
    public async Task The_next_times_follow_the_zone_through_a_change_of_the_clock()
    {
        await using var service = new TestService();
        service.Time.SetUtcNow(new DateTimeOffset(2026, 3, 27, 12, 0, 0, TimeSpan.Zero));
        await service.CallAsync("POST", "/v2/schedules/https://example.com/", "", null,
            ("Upstash-Cron", "CRON_TZ=Europe/Oslo 0 9 * * *"), ("Upstash-Schedule-Id", "nightly"));

        var next = (await service.CallAsync("GET", "/v2/schedules/nightly/next?count=2")).Json;

        Assert.Equal("Europe/Oslo", (string)next["timeZone"]!);
        Assert.Equal(
            ["2026-03-28T08:00:00", "2026-03-29T07:00:00"],
            next["times"]!.AsArray().Select(at => DateTimeOffset.FromUnixTimeMilliseconds((long)at!).ToString("s")));
        Assert.Equal(404, (await service.CallAsync("GET", "/v2/schedules/none/next")).Status);
        Assert.Equal(400, (await service.CallAsync("GET", "/v2/schedules/nightly/next?count=0")).Status);
    }
}
