using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.Tests.Workflows;

/// <summary>Waits, events and webhooks (protocol#waits-and-events).</summary>
public sealed class EventTests : IAsyncLifetime
{
    private readonly TestService _service = new();
    private WorkflowEndpoint _flow = null!;

    public async ValueTask InitializeAsync()
    {
        _flow = await WorkflowEndpoint.StartAsync(_service);
        await _flow.StartAsync("wfr_a", "p");
    }

    public async ValueTask DisposeAsync()
    {
        await _flow.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task An_event_ends_all_waits_for_it_and_its_data_come_with_the_step()
    {
        await _flow.StartAsync("wfr_b", "p");
        await _flow.WaitAsync("wfr_a", 1, "paid");
        await _flow.WaitAsync("wfr_b", 1, "paid");
        var waiters = await _service.CallAsync("GET", "/v2/waiters/paid");

        var notified = await _service.CallAsync("POST", "/v2/notify/paid", "{\"sum\":5}");
        var nobody = await _service.CallAsync("POST", "/v2/notify/paid", "late");
        await _service.DeliverDueAsync();

        Assert.Equal(2, waiters.Json.AsArray().Count);
        Assert.Equal((_service.Now + 3_600_000) / 1000, (long)waiters.Json[0]!["deadline"]!);
        Assert.Equal((201, 2), (notified.Status, notified.Json.AsArray().Count));
        Assert.Equal((201, "[]"), (nobody.Status, nobody.Text));
        Assert.Equal("[]", (await _service.CallAsync("GET", "/v2/waiters/paid")).Text);
        var steps = _flow.Deliveries.Skip(2).Select(delivery => JsonNode.Parse(delivery.Entries[^1])!).ToList();
        Assert.Equal(2, steps.Count);
        Assert.All(steps, step => Assert.Equal(("{\"sum\":5}", "paid", 1), (Decoded(step["out"]), (string)step["waitEventId"]!, (int)step["stepId"]!)));
    }

    [Fact]
    public async Task An_event_for_a_run_that_does_not_wait_yet_is_kept_for_its_wait()
    {
        var kept = await _service.CallAsync("POST", "/v2/notify/wfr_a/paid", "early");
        await _flow.WaitAsync("wfr_a", 1, "paid");
        await _service.DeliverDueAsync();

        Assert.Equal((201, "[]"), (kept.Status, kept.Text));
        Assert.Equal("early", Decoded(JsonNode.Parse(_flow.Deliveries[^1].Entries[^1])!["out"]));
        Assert.Equal(404, (await _service.CallAsync("POST", "/v2/notify/wfr_unknown/paid", "x")).Status);
    }

    [Fact]
    public async Task A_wait_for_no_time_at_all_ends_at_once()
    {
        await _flow.WaitAsync("wfr_a", 1, "paid", "0s");
        _service.Time.Advance(TimeSpan.FromMilliseconds(1));
        await _service.DeliverDueAsync();

        Assert.True((bool)JsonNode.Parse(_flow.Deliveries[^1].Entries[^1])!["waitTimeout"]!);
    }

    [Fact]
    public async Task An_event_of_the_largest_size_comes_whole_though_its_step_is_larger()
    {
        const int Most = 20_000;
        await using var service = new TestService(new() { Workflows = new() { MaxPayloadBytes = Most } });
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        await flow.StartAsync("wfr_large", "p");
        await flow.WaitAsync("wfr_large", 1, "paid");
        var data = new string('x', Most);

        var notified = await service.CallAsync("POST", "/v2/notify/paid", data);
        await service.DeliverDueAsync();

        Assert.Single(notified.Json.AsArray());
        Assert.Equal(data, Decoded(JsonNode.Parse(flow.Deliveries[^1].Entries[^1])!["out"]));
        Assert.Equal(413, (await service.CallAsync("POST", "/v2/notify/paid", data + "x")).Status);
    }

    [Fact]
    public async Task A_wait_ends_when_its_time_has_run_out()
    {
        await _flow.WaitAsync("wfr_a", 1, "paid", "10s");
        _service.Time.Advance(TimeSpan.FromSeconds(11));
        await _service.DeliverDueAsync();

        var step = JsonNode.Parse(_flow.Deliveries[^1].Entries[^1])!;
        Assert.True((bool)step["waitTimeout"]!);
        Assert.Null(step["out"]);
        Assert.Equal("[]", (await _service.CallAsync("POST", "/v2/notify/paid", "late")).Text);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("GET")]
    public async Task A_webhook_brings_the_request_without_a_token(string method)
    {
        await _flow.WaitAsync("wfr_a", 1, "hook");
        var called = await _service.CallAsync(method, "/v2/workflows/hooks/user/wfr_a/hook?q=1", "hello", token: "");
        await _service.DeliverDueAsync();

        Assert.Equal(200, called.Status);
        var request = JsonNode.Parse(Decoded(JsonNode.Parse(_flow.Deliveries[^1].Entries[^1])!["out"]))!;
        Assert.Equal((method, "/v2/workflows/hooks/user/wfr_a/hook?q=1"), ((string)request["method"]!, (string)request["url"]!));
        Assert.Equal("hello", Decoded(request["body"]));
        Assert.Equal(404, (await _service.CallAsync(method, "/v2/workflows/hooks/user/wfr_unknown/hook", token: "")).Status);
    }

    [Fact]
    public async Task A_wait_of_a_run_that_is_over_is_400_and_one_that_means_nothing_412()
    {
        Assert.Equal(412, (await _flow.WaitAsync("wfr_a", 0, "paid")).Status);
        Assert.Equal(412, (await _flow.WaitAsync("wfr_a", 1, "paid", "whenever")).Status);
        Assert.Equal(412, (await _service.CallAsync("POST", "/v2/wait/paid", "no JSON")).Status);
        await _flow.FinishAsync("wfr_a", "");
        Assert.Equal(400, (await _flow.WaitAsync("wfr_a", 1, "paid")).Status);
    }

    private static string Decoded(JsonNode? base64) => Encoding.UTF8.GetString(Convert.FromBase64String((string)base64!));
}
