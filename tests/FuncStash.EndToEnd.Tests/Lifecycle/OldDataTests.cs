using System.Net;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>
/// Data outlive code: what version 1 of them holds (a small store of every kind of thing, in OldData with what it holds as JSON) is
/// all there after an upgrade, and is worked on. OldData never changes; a new version of the data gets files of its own.
/// </summary>
public abstract class OldDataTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private const int Big = 300 * 1024;

    // They were written on one day, and the test runs on every other.
    private static readonly Dictionary<string, string?> s_keepAll = new()
    {
        ["FUNCSTASH_LOG_RETENTION"] = "36500d", ["FUNCSTASH_DLQ_RETENTION"] = "36500d",
    };

    [Fact]
    public async Task Data_of_the_first_version_open_and_are_worked_on()
    {
        var (data, old) = await Hosts.OldDataAsync();
        await using var host = await Hosts.StartAsync(new WithSettings(data, s_keepAll));
        var wire = new WireClient(host);

        await AssertLogAsync(wire, old);
        await AssertDeadLettersAsync(wire, old);
        await AssertWaitingAsync(wire, old);
        await AssertSchedulesAndGroupsAsync(wire);
        Assert.Equal((string)old["keys"]!["current"]!, (string?)(await OfAsync(wire, "/v2/keys"))["current"]);

        // Old rows go on: the paused queue is resumed, and its first message is attempted.
        Assert.Equal(HttpStatusCode.OK, (await wire.SendAsync(HttpMethod.Post, "/v2/queues/orders/resume")).Status);
        await wire.EventsUntilAsync((string)old["queued"]![0]!, "ACTIVE");
        // A dead letter is sent again.
        var again = await wire.SendAsync(HttpMethod.Post, $"/v2/dlq/retry?dlqIds={old["dlq"]![0]}");
        Assert.Equal(HttpStatusCode.Created, again.Status);
        await wire.EventsUntilAsync((string)again.Json["responses"]![0]!["messageId"]!, "ACTIVE");
        // And new ones come beside them.
        var id = await wire.PublishAsync(Receiver.Url("/new"), "new");
        await wire.StatesUntilAsync(id, "DELIVERED");

        await host.StopAsync();
        await data.DisposeAsync();
    }

    private static async Task AssertLogAsync(WireClient wire, JsonNode old)
    {
        var log = (await wire.EventsAsync("")).Select(entry => ((string)entry["messageId"]!, (string)entry["state"]!)).ToList();
        foreach (var entry in old["events"]!.AsArray())
            Assert.Contains(((string)entry![0]!, (string)entry[1]!), log);
        var delivered = (await wire.EventsUntilAsync((string)old["delivered"]!, "DELIVERED"))[0];
        Assert.Equal(["billing", "eu"], delivered["labels"]?.AsArray().Select(label => (string)label!) ?? ((string)delivered["label"]!).Split(','));
    }

    private static async Task AssertDeadLettersAsync(WireClient wire, JsonNode old)
    {
        var small = await wire.DeadLetterAsync((string)old["failed"]!);
        Assert.Equal("dead letter body", (string?)small["body"]);
        Assert.Equal(500, (int)small["responseStatus"]!);
        Assert.Equal("it broke", (string?)small["responseBody"]);
        var big = await wire.DeadLetterAsync((string)old["failedBig"]!);
        Assert.Equal(new string('B', Big), (string?)(await OfAsync(wire, $"/v2/dlq/{big["dlqId"]}"))["body"]);
    }

    private static async Task AssertWaitingAsync(WireClient wire, JsonNode old)
    {
        foreach (var (id, n) in old["queued"]!.AsArray().Select((id, n) => ((string)id!, n)))
            Assert.Equal($"q{n}", (string?)(await wire.MessageAsync(id))["body"]);
        var queue = await OfAsync(wire, "/v2/queues/orders");
        Assert.Equal((2, 3, true), ((int)queue["parallelism"]!, (int)queue["lag"]!, (bool)queue["paused"]!));
        var key = await OfAsync(wire, "/v2/flowControl/acme");
        Assert.Equal((2, true), ((int)key["waitListSize"]!, (bool)key["isPaused"]!));
        foreach (var (id, n) in old["flow"]!.AsArray().Select((id, n) => ((string)id!, n)))
            Assert.Equal($"f{n}", (string?)(await wire.MessageAsync(id))["body"]);
        // Until its three hundred days are over.
        if (await wire.GetAsync($"/v2/messages/{old["delayed"]}") is { Status: HttpStatusCode.OK } delayed && (long)delayed.Json["notBefore"]! > Now())
        {
            Assert.Equal(("PUT", "later", 7), ((string)delayed.Json["method"]!, (string)delayed.Json["body"]!, (int)delayed.Json["maxRetries"]!));
            Assert.Equal(new string('L', Big), (string?)(await wire.MessageAsync((string)old["delayedBig"]!))["body"]);
        }
    }

    private static async Task AssertSchedulesAndGroupsAsync(WireClient wire)
    {
        var nightly = await OfAsync(wire, "/v2/schedules/nightly");
        Assert.Equal("CRON_TZ=Europe/Berlin 5 4 * * *", (string?)nightly["cron"]);
        Assert.Equal("good night", (string?)nightly["body"]);
        Assert.True((bool)(await OfAsync(wire, "/v2/schedules/paused"))["isPaused"]!);
        Assert.Equal(2, (await OfAsync(wire, "/v2/topics/news"))["endpoints"]!.AsArray().Count);
    }

    private static async Task<JsonNode> OfAsync(WireClient wire, string target)
    {
        var answer = await wire.GetAsync(target);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer.Json;
    }
}

public sealed class OldDataOnSqlite(SqliteHost hosts, NodeSdk sdk) : OldDataTests(hosts, sdk);

public sealed class OldDataOnAzurite(AzuriteHost hosts, NodeSdk sdk) : OldDataTests(hosts, sdk);

public sealed class OldDataOnFunctions(FunctionsHost hosts, NodeSdk sdk) : OldDataTests(hosts, sdk);
