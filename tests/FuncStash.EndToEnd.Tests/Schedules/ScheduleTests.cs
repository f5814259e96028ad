using System.Net;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Schedules;

/// <summary>Schedules as clients make, read and steer them (protocol#schedules).</summary>
public abstract class ScheduleTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private const string Never = "0 0 29 2 *";

    [Fact]
    public async Task The_SDK_reads_back_what_it_created()
    {
        var id = Unique("full");
        await Sdk.CallAsync(Host, "schedules.create", new
        {
            destination = "https://example.com/hook?a=b", cron = $"{Never} ", scheduleId = id, body = "secret text", delay = 10,
            retries = 2, timeout = 30, retryDelay = "1000", method = "PUT", callback = "https://example.com/cb",
            failureCallback = "https://example.com/fail", label = "l", queueName = "q",
            headers = new Dictionary<string, string> { ["test-header"] = "v" },
            flowControl = new { key = "k", parallelism = 3 },
        });

        var schedule = (await Sdk.CallAsync(Host, "schedules.get", id))!;

        Assert.Equal((id, Never, "https://example.com/hook?a=b", "PUT", 10, 2, false, "secret text"), (
            (string)schedule["scheduleId"]!, (string)schedule["cron"]!, (string)schedule["destination"]!,
            (string)schedule["method"]!, (int)schedule["delay"]!, (int)schedule["retries"]!, (bool)schedule["isPaused"]!,
            (string)schedule["body"]!));
        Assert.Equal(("https://example.com/cb", "https://example.com/fail", "q", "l", 30, "1000"), (
            (string)schedule["callback"]!, (string)schedule["failureCallback"]!, (string)schedule["queueName"]!,
            (string)schedule["label"]!, (int)schedule["timeout"]!, (string)schedule["retryDelayExpression"]!));
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"Content-Type":["application/json"],"Test-Header":["v"]}"""), Sorted(schedule["header"]!)));
        Assert.Equal(("k", 3, 1), ((string)schedule["flowControlKey"]!, (int)schedule["parallelism"]!, (int)schedule["period"]!));
        Assert.Null(schedule["rate"]);
        Assert.InRange((long)schedule["createdAt"]!, Now() - 60_000, Now());
        Assert.InRange((long)schedule["nextScheduleTime"]!, Now(), Now() + (9L * 366 * 86_400_000));
        Assert.Equal((string)schedule["callerIP"]!, (string)schedule["callerIp"]!);
        Assert.Null(schedule["lastScheduleTime"] ?? schedule["lastScheduleStates"] ?? schedule["error"]);
        var listed = (await Sdk.CallAsync(Host, "schedules.list"))!.AsArray().Single(s => (string)s!["scheduleId"]! == id);
        Assert.True(JsonNode.DeepEquals(schedule, listed));
    }

    [Fact]
    public async Task Creating_it_again_replaces_all_of_it()
    {
        var id = Unique("again");
        await Sdk.CallAsync(Host, "schedules.create",
            new { destination = "https://example.com/1", cron = Never, scheduleId = id, body = "text", delay = 5 });
        await Sdk.CallAsync(Host, "schedules.create", new { destination = "https://example.com/2", cron = Never, scheduleId = id });

        var schedule = (await Sdk.CallAsync(Host, "schedules.get", id))!;

        Assert.Equal("https://example.com/2", (string)schedule["destination"]!);
        Assert.Null(schedule["body"] ?? schedule["delay"]);
    }

    [Fact]
    public async Task Creating_it_again_keeps_a_pause_and_the_time_of_its_creation()
    {
        var id = Unique("paused");
        await Sdk.CallAsync(Host, "schedules.create", new { destination = "https://example.com/1", cron = "* * * * *", scheduleId = id });
        await Sdk.CallAsync(Host, "schedules.pause", new { schedule = id });
        var before = (await Sdk.CallAsync(Host, "schedules.get", id))!;
        await Sdk.CallAsync(Host, "schedules.create", new { destination = "https://example.com/2", cron = "* * * * *", scheduleId = id });

        var schedule = (await Sdk.CallAsync(Host, "schedules.get", id))!;

        Assert.True((bool)schedule["isPaused"]!);
        Assert.Null(schedule["nextScheduleTime"]);
        Assert.Equal((long)before["createdAt"]!, (long)schedule["createdAt"]!);
        Assert.Equal("https://example.com/2", (string)schedule["destination"]!);
        await Sdk.CallAsync(Host, "schedules.delete", id);
    }

    [Fact]
    public async Task A_publish_with_a_cron_makes_one()
    {
        var (plain, queued) = (Unique("plain"), Unique("queued"));
        var headers = new[] { ("Upstash-Cron", "*/60 */24 29 2 *"), ("Upstash-Schedule-Id", plain) };
        var published = await Wire.TryPublishAsync(Receiver.Url("/hook"), "x"u8.ToArray(), headers);
        Assert.Equal((HttpStatusCode.OK, $$"""{"scheduleId":"{{plain}}"}"""), (published.Status, published.Text));

        var enqueued = await Wire.SendAsync(
            HttpMethod.Post, $"/v2/enqueue/q/{Receiver.Url("/hook")}?upstash-cron=0+0+29+2+*&upstash-schedule-id={queued}", []);
        Assert.Equal(queued, (string)enqueued.Json["scheduleId"]!);
        var batch = await Sdk.CallAsync(Host, "batch", new object[]
        {
            new { url = Receiver.Url("/now"), body = "1" },
            new { url = Receiver.Url("/hook"), headers = new Dictionary<string, string> { ["Upstash-Cron"] = Never } },
            new { url = Receiver.Url("/hook"), headers = new Dictionary<string, string> { ["Upstash-Cron"] = "nonsense" } },
        });

        Assert.Equal(["messageId", "scheduleId", "error"], batch!.AsArray().Select(item => item!.AsObject().Single().Key));
        Assert.Equal(("*/60 */24 29 2 *", "x"), ((string)(await ScheduleAsync(plain))["cron"]!, (string)(await ScheduleAsync(plain))["body"]!));
        Assert.Equal("q", (string)(await ScheduleAsync(queued))["queueName"]!);
        await Receiver.OneAsync("/now");
        Assert.Empty(Receiver.Requests("/hook"));
    }

    [Fact]
    public async Task Pause_resume_and_delete()
    {
        var created = await Sdk.CallAsync(Host, "schedules.create", new { destination = "https://example.com/", cron = Never });
        var id = (string)created!["scheduleId"]!;
        Assert.StartsWith("scd_", id, StringComparison.Ordinal);

        await Sdk.CallAsync(Host, "schedules.pause", new { schedule = id });
        var paused = (await Sdk.CallAsync(Host, "schedules.get", id))!;
        Assert.True((bool)paused["isPaused"]!);
        Assert.Null(paused["nextScheduleTime"]);
        await Sdk.CallAsync(Host, "schedules.resume", new { schedule = id });
        Assert.False((bool)(await Sdk.CallAsync(Host, "schedules.get", id))!["isPaused"]!);
        await Sdk.CallAsync(Host, "schedules.delete", id);

        var gone = await Wire.GetAsync("/v2/schedules/" + id);
        Assert.Equal(HttpStatusCode.NotFound, gone.Status);
        Assert.Contains(id, gone.Error, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await Wire.SendAsync(HttpMethod.Patch, $"/v2/schedules/{id}/pause")).Status);
    }

    [Fact]
    public async Task The_documented_POST_pauses_too_but_a_cron_makes_it_a_creation()
    {
        var id = Unique("post");
        await CreateAsync("https://example.com/pause", ("Upstash-Cron", Never), ("Upstash-Schedule-Id", id));
        Assert.Equal("https://example.com/pause", (string)(await ScheduleAsync(id))["destination"]!);

        Assert.Equal(HttpStatusCode.OK, (await Wire.SendAsync(HttpMethod.Post, $"/v2/schedules/{id}/pause")).Status);
        Assert.True((bool)(await ScheduleAsync(id))["isPaused"]!);
        Assert.Equal(HttpStatusCode.OK, (await Wire.SendAsync(HttpMethod.Post, $"/v2/Schedules/{id}/resume")).Status);
        Assert.False((bool)(await ScheduleAsync(id))["isPaused"]!);
        // A group's name with a suffix is no destination.
        var creation = await Wire.SendAsync(
            HttpMethod.Post, $"/v2/schedules/{id}/pause", [], [("Upstash-Cron", Never), ("Upstash-Schedule-Id", Unique("other"))]);
        Assert.Equal(HttpStatusCode.BadRequest, creation.Status);
        Assert.False((bool)(await ScheduleAsync(id))["isPaused"]!);
    }

    [Fact]
    public async Task What_is_redacted_is_not_shown()
    {
        var id = Unique("redacted");
        await CreateAsync("https://example.com/", ("Upstash-Cron", Never), ("Upstash-Schedule-Id", id),
            ("Upstash-Forward-X-Key", "hidden"), ("Upstash-Redact-Fields", "body, header[X-Key]"));

        var schedule = await ScheduleAsync(id);

        Assert.StartsWith("REDACTED:", (string)schedule["body"]!, StringComparison.Ordinal);
        Assert.StartsWith("REDACTED:", (string)schedule["header"]!["X-Key"]![0]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense", "id", "Invalid cron expression")]
    [InlineData("* * * * * *", "id", "Invalid cron expression")]
    [InlineData("CRON_TZ=Mars/Base * * * * *", "id", "Invalid cron expression")]
    [InlineData(Never, "a/b", "Upstash-Schedule-Id")]
    [InlineData(null, "id", "Upstash-Cron")]
    public async Task What_makes_no_schedule_is_refused(string? cron, string id, string reason)
    {
        (string, string)[] headers = [("Upstash-Schedule-Id", id), .. cron is null ? [] : new[] { ("Upstash-Cron", cron) }];

        var answer = await Wire.SendAsync(HttpMethod.Post, "/v2/schedules/https://example.com/", [], headers);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains(reason, answer.Error, StringComparison.Ordinal);
    }

    protected async Task CreateAsync(string destination, params (string Name, string Value)[] headers)
    {
        var answer = await Wire.SendAsync(HttpMethod.Post, "/v2/schedules/" + destination, "body"u8.ToArray(), headers);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
    }

    protected async Task<JsonNode> ScheduleAsync(string id)
    {
        var answer = await Wire.GetAsync("/v2/schedules/" + id);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer.Json;
    }

    private static JsonObject Sorted(JsonNode node) =>
        new(node.AsObject().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
}

public sealed class SchedulesOnSqlite(SqliteHost hosts, NodeSdk sdk) : ScheduleTests(hosts, sdk)
{
    // Cron knows whole minutes, so this waits for the next one: here only, where a host costs least.
    [Fact]
    public async Task A_schedule_fires_at_the_next_minute()
    {
        var id = Unique("fires");
        await CreateAsync(Receiver.Url("/hook"), ("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", id));

        var request = (await Receiver.WaitForAsync("/hook", timeout: TimeSpan.FromSeconds(70)))[0];
        Assert.Equal((id, "body"), (request.Header("upstash-schedule-id"), request.Text));
        var schedule = await Eventually.GetAsync(
            () => ScheduleAsync(id), s => (string?)s["lastScheduleStates"]?[request.MessageId] == "SUCCESS", s => s.ToJsonString());

        Assert.Equal(0, (long)schedule["lastScheduleTime"]! % 60_000);
        Assert.Equal((long)schedule["lastScheduleTime"]! + 60_000, (long)schedule["nextScheduleTime"]!);
        await Sdk.CallAsync(Host, "schedules.delete", id);
        Assert.Equal(id, (string)(await Wire.EventsAsync("scheduleId=" + id))[0]["scheduleId"]!);
    }
}

public sealed class SchedulesOnAzurite(AzuriteHost hosts, NodeSdk sdk) : ScheduleTests(hosts, sdk);

public sealed class SchedulesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : ScheduleTests(hosts, sdk);
