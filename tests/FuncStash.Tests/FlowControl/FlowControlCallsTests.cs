using System.Text.Json.Nodes;

namespace FuncStash.Tests.FlowControl;

/// <summary>What the calls to a flow-control key change, and what they leave (protocol#flow-control-calls).</summary>
public sealed class FlowControlCallsTests : IAsyncDisposable
{
    private readonly TestService _service = new();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task A_pin_sets_what_it_names()
    {
        await UseAsync("key");

        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/flowControl/key/pin?parallelism=7")).Status);
        Assert.Equal("7 True 3 False 60", Limits(await GetAsync("key")));
        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/flowControl/key/pin?rate=9&period=120")).Status);
        Assert.Equal("7 True 9 True 120", Limits(await GetAsync("key")));
        // Messages bring other values to no effect.
        await UseAsync("key");
        Assert.Equal("7 True 9 True 120", Limits(await GetAsync("key")));
    }

    [Fact]
    public async Task An_unpin_frees_what_it_names()
    {
        await UseAsync("key");
        await _service.CallAsync("POST", "/v2/flowControl/key/pin?parallelism=7&rate=9&period=120");

        await _service.CallAsync("POST", "/v2/flowControl/key/unpin?parallelism=true&rate=false");
        Assert.Equal("7 False 9 True 120", Limits(await GetAsync("key")));
        await _service.CallAsync("POST", "/v2/flowControl/key/unpin?rate=true");
        Assert.Equal("7 False 9 False 120", Limits(await GetAsync("key")));
        await UseAsync("key");
        Assert.Equal("2 False 3 False 60", Limits(await GetAsync("key")));
    }

    [Theory]
    [InlineData("/v2/flowControl/key/resetRate")]
    [InlineData("/v2/flowControl/key/reset")]
    public async Task A_reset_starts_the_period_anew(string target)
    {
        await using var destination = await StandIn.StartAsync(_ => Task.CompletedTask);
        await UseAsync("key", destination.Url);
        await _service.DeliverDueAsync();
        Assert.Equal(1, (int)(await GetAsync("key"))["rateCount"]!);
        _service.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(200, (await _service.CallAsync("POST", target)).Status);

        var key = await GetAsync("key");
        Assert.Equal((0, _service.Now / 1000), ((int)key["rateCount"]!, (long)key["ratePeriodStart"]!));
    }

    [Fact]
    public async Task A_search_finds_keys_by_a_part_of_their_names()
    {
        await UseAsync("orders-eu");
        await UseAsync("orders-us");
        await UseAsync("mail");

        Assert.Equal("orders-eu orders-us", await SearchAsync("?search=orders"));
        Assert.Equal("orders-us", await SearchAsync("?search=-us"));
        Assert.Equal("", await SearchAsync("?search=none"));
        Assert.Equal("mail orders-eu orders-us", await SearchAsync(""));
    }

    private Task<string> UseAsync(string key, string url = "https://example.com/") => _service.PublishAsync(
        url, "", ("Upstash-Flow-Control-Key", key), ("Upstash-Flow-Control-Value", "parallelism=2, rate=3, period=1m"));

    private async Task<JsonNode> GetAsync(string key) => (await _service.CallAsync("GET", "/v2/flowControl/" + key)).Json;

    private async Task<string> SearchAsync(string query) => string.Join(' ', (await _service.CallAsync("GET", "/v2/flowControl" + query))
        .Json.AsArray().Select(key => (string)key!["flowControlKey"]!).Order(StringComparer.Ordinal));

    private static string Limits(JsonNode key) =>
        $"{key["parallelismMax"]} {(bool)key["isPinnedParallelism"]!} {key["rateMax"]} {(bool)key["isPinnedRate"]!} {key["ratePeriod"]}";
}
