using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.FlowControl;

/// <summary>Flow control as the SDK uses it (protocol#flow-control).</summary>
public abstract class FlowControlTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private readonly string _key = Unique("key");

    private Task<JsonNode?> PublishAsync(string path, object value) =>
        Sdk.CallAsync(Host, "publishJSON", new { url = Receiver.Url(path), body = new { }, flowControl = value });

    private Task<JsonNode?> KeyAsync(string method = "get") => Sdk.CallAsync(Host, "flowControl." + method, _key);

    [Fact]
    public async Task A_key_shows_its_limits_and_counts_from_the_first_message_on()
    {
        await PublishAsync("/a", new { key = _key, parallelism = 4, rate = 30, period = "2m" });
        var key = (await KeyAsync())!;
        Assert.Equal(_key, (string)key["flowControlKey"]!);
        Assert.Equal((4, 30, 120), ((int)key["parallelismMax"]!, (int)key["rateMax"]!, (int)key["ratePeriod"]!));
        Assert.Equal((false, false, false),
            ((bool)key["isPaused"]!, (bool)key["isPinnedParallelism"]!, (bool)key["isPinnedRate"]!));
        await Eventually.GetAsync(() => KeyAsync(), k => (int)k!["rateCount"]! == 1 && (int)k["parallelismCount"]! == 0);
        await KeyAsync("resetRate");
        Assert.Equal(0, (int)(await KeyAsync())!["rateCount"]!);
        Assert.Equal(_key, (string)Assert.Single((await Wire.GetAsync("/v2/flowControl?search=" + _key[3..])).Json.AsArray())!["flowControlKey"]!);
        Assert.True((int)(await Sdk.CallAsync(Host, "flowControl.getGlobalParallelism"))!["parallelismMax"]! > 0);
        Assert.Equal(404, (await Assert.ThrowsAsync<SdkException>(() => Sdk.CallAsync(Host, "flowControl.get", Unique("none")))).Status);
    }

    [Fact]
    public async Task A_rate_holds_from_one_period_to_the_next()
    {
        var begun = TimeProvider.System.GetUtcNow();
        for (var i = 0; i < 6; i++)
            await PublishAsync("/rate", new { key = _key, rate = 2, period = 2 });
        var requests = await Receiver.WaitForAsync("/rate", 6, TimeSpan.FromSeconds(30));

        // Three periods, each begun by an admission, the first not before the first publish. From arrival to arrival it may be
        // less than a period, where one lags behind its admission and the next does not. Periods are in whole milliseconds.
        Assert.InRange((requests[2].At - begun).TotalSeconds, 1.999, 20);
        Assert.InRange((requests[4].At - begun).TotalSeconds, 3.999, 30);
    }

    [Fact]
    public async Task No_more_are_in_flight_than_the_parallelism_and_a_pin_changes_it_at_once()
    {
        var release = new TaskCompletionSource();
        for (var i = 0; i < 4; i++)
        {
            Receiver.Answers($"/{i}", Answer.Hang(release.Task));
            await PublishAsync($"/{i}", new { key = _key, parallelism = 1 });
        }
        await Receiver.OneAsync("/0");
        var key = (await KeyAsync())!;
        Assert.Equal((3, 1), ((int)key["waitListSize"]!, (int)key["parallelismCount"]!));
        Assert.Single(Receiver.All);

        await Sdk.CallWithAsync(Host, "flowControl.pin", _key, new { parallelism = 3 });
        await Receiver.OneAsync("/1");
        await Receiver.OneAsync("/2");
        Assert.True((bool)(await KeyAsync())!["isPinnedParallelism"]!);
        Assert.Empty(Receiver.Requests("/3"));
        await Sdk.CallWithAsync(Host, "flowControl.unpin", _key, new { parallelism = true });
        Assert.False((bool)(await KeyAsync())!["isPinnedParallelism"]!);
        release.SetResult();
        await Receiver.OneAsync("/3");
        await Eventually.GetAsync(() => KeyAsync(), k => (int)k!["parallelismCount"]! + (int)k["waitListSize"]! == 0);
    }

    [Fact]
    public async Task A_paused_key_delivers_nothing_until_it_is_resumed()
    {
        await KeyAsync("pause");
        await PublishAsync("/a", new { key = _key, parallelism = 1 });
        var plain = await Wire.PublishAsync(Receiver.Url("/plain"));
        await Wire.StatesUntilAsync(plain, "DELIVERED");
        Assert.Empty(Receiver.Requests("/a"));
        Assert.True((bool)(await KeyAsync())!["isPaused"]!);

        await KeyAsync("resume");
        await Receiver.OneAsync("/a");
    }
}

public sealed class FlowControlOnSqlite(SqliteHost hosts, NodeSdk sdk) : FlowControlTests(hosts, sdk);

public sealed class FlowControlOnAzurite(AzuriteHost hosts, NodeSdk sdk) : FlowControlTests(hosts, sdk);

public sealed class FlowControlOnFunctions(FunctionsHost hosts, NodeSdk sdk) : FlowControlTests(hosts, sdk);
