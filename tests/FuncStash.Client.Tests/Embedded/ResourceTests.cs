namespace FuncStash.Client.Tests.Embedded;

/// <summary>What the client creates in the embedded server is there, as the client reads it.</summary>
public sealed class ResourceTests(EmbeddedServer server)
{
    private const string Nowhere = "http://127.0.0.1:9/hook";
    private readonly QStashClient _client = server.NewClient();
    private readonly string _name = "n-" + Guid.NewGuid().ToString("N");

    [Fact]
    public async Task A_schedule_lives_from_its_creation_to_its_deletion()
    {
        var id = await _client.Schedules.CreateAsync(Nowhere, "CRON_TZ=Europe/Oslo 0 4 1 1 *", new byte[] { 255 }, new()
        {
            ScheduleId = _name, Delay = TimeSpan.FromSeconds(10), Timeout = TimeSpan.FromSeconds(20), Retries = 2, RetryDelay = "5000",
            Method = HttpMethod.Put, Headers = { ["X-Tenant"] = "acme" }, QueueName = _name, Labels = ["a", "b"],
            Callback = new("http://127.0.0.1:9/done") { Retries = 1 }, FailureCallback = "http://127.0.0.1:9/failed",
            FlowControl = new(_name) { Rate = 5, Period = TimeSpan.FromMinutes(1) },
        });
        await _client.Schedules.PauseAsync(id);

        var schedule = await _client.Schedules.GetAsync(id);
        Assert.Equal((_name, "CRON_TZ=Europe/Oslo 0 4 1 1 *", Nowhere, "PUT"), (schedule.ScheduleId, schedule.Cron, schedule.Destination, schedule.Method));
        Assert.Equal((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20), 2, "5000"), (schedule.Delay, schedule.Timeout, schedule.Retries, schedule.RetryDelayExpression));
        Assert.Equal([255], schedule.BodyBytes.ToArray());
        Assert.Equal(["acme"], schedule.Headers!["x-tenant"]);
        Assert.Equal(["1"], schedule.CallbackHeaders!["Upstash-Retries"]);
        Assert.Equal(("http://127.0.0.1:9/done", "http://127.0.0.1:9/failed"), (schedule.Callback, schedule.FailureCallback));
        Assert.Equal((_name, _name, 5, TimeSpan.FromMinutes(1)), (schedule.QueueName, schedule.FlowControlKey, schedule.Rate, schedule.Period));
        Assert.Null(schedule.Parallelism);
        Assert.Equal(["a", "b"], schedule.Labels);
        Assert.True(schedule.IsPaused);
        Assert.InRange(schedule.CreatedAt, TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow().AddMinutes(1));

        await _client.Schedules.ResumeAsync(id);
        var resumed = (await _client.Schedules.ListAsync()).Single(s => s.ScheduleId == id);
        Assert.False(resumed.IsPaused);
        Assert.NotNull(resumed.NextScheduleTime);
        await _client.Schedules.DeleteAsync(id);
        Assert.Equal(404, (await Assert.ThrowsAsync<QStashRequestException>(() => _client.Schedules.GetAsync(id))).Status);
    }

    [Fact]
    public async Task A_schedule_the_service_would_not_take_is_refused_in_its_words()
    {
        var refusal = await Assert.ThrowsAsync<QStashRequestException>(() => _client.Schedules.CreateAsync(Nowhere, "never"));

        Assert.Equal(400, refusal.Status);
        Assert.Contains("cron", refusal.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_queue_keeps_what_is_not_changed()
    {
        await _client.Queues.UpsertAsync(_name, parallelism: 3);
        await _client.Queues.PauseAsync(_name);
        await _client.EnqueueAsync(_name, Nowhere, "x");
        await _client.Queues.UpsertAsync(_name, parallelism: 4);

        var queue = (await _client.Queues.ListAsync()).Single(q => q.Name == _name);
        Assert.Equal((4, true, 1), (queue.Parallelism, queue.IsPaused, queue.Lag));
        await _client.Queues.UpsertAsync(_name, paused: false);
        queue = await _client.Queues.GetAsync(_name);
        Assert.Equal((4, false), (queue.Parallelism, queue.IsPaused));
        await _client.Queues.PauseAsync(_name);
        await _client.Queues.ResumeAsync(_name);
        await _client.Queues.DeleteAsync(_name);
        await _client.Queues.DeleteAsync(_name);
        Assert.Equal(404, (await Assert.ThrowsAsync<QStashRequestException>(() => _client.Queues.GetAsync(_name))).Status);
    }

    [Fact]
    public async Task A_url_group_gains_and_loses_endpoints()
    {
        await using var app = await Receiver.StartAsync();
        await _client.UrlGroups.AddEndpointsAsync(_name, [new(app.BaseUrl + "/a"), new(app.BaseUrl + "/b", "b"), new(app.BaseUrl + "/c", "c")]);
        await _client.UrlGroups.RemoveEndpointsAsync(_name, urls: [app.BaseUrl + "/a"], names: ["c"]);
        await _client.UrlGroups.SetHeadersAsync(_name, new Dictionary<string, string> { ["Upstash-Forward-X-Tenant"] = "acme" });

        var group = await _client.UrlGroups.GetAsync(_name);
        Assert.Equal([new UrlGroupEndpoint(app.BaseUrl + "/b", "b")], group.Endpoints);
        Assert.Contains(await _client.UrlGroups.ListAsync(), g => g.Name == _name);
        var published = await _client.PublishAsync(_name, "x");
        Assert.Equal(app.BaseUrl + "/b", Assert.Single(published.Messages).Url);
        Assert.Equal("acme", (await app.FirstAsync()).Header("x-tenant"));

        await _client.UrlGroups.DeleteAsync(_name);
        Assert.Equal(404, (await Assert.ThrowsAsync<QStashRequestException>(() => _client.UrlGroups.GetAsync(_name))).Status);
    }

    [Fact]
    public async Task A_flow_control_key_is_pinned_and_unpinned()
    {
        await _client.FlowControl.PauseAsync(_name);
        await _client.FlowControl.PinAsync(_name, parallelism: 4, rate: 30, period: TimeSpan.FromMinutes(2));
        var published = await _client.PublishAsync(Nowhere, options: new() { FlowControl = new(_name) { Parallelism = 1, Rate = 7 } });

        var key = await _client.FlowControl.GetAsync(_name);
        Assert.Equal((4, 30, TimeSpan.FromMinutes(2), true, true, true), (
            key.ParallelismMax, key.RateMax, key.RatePeriod, key.IsPaused, key.IsPinnedParallelism, key.IsPinnedRate));
        await _client.FlowControl.UnpinAsync(_name, rate: false);
        await _client.FlowControl.ResetRateAsync(_name);
        key = Assert.Single(await _client.FlowControl.ListAsync(search: _name));
        Assert.Equal((false, true, 0), (key.IsPinnedParallelism, key.IsPinnedRate, key.RateCount));
        Assert.InRange(key.RatePeriodStart, TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow().AddMinutes(1));
        var message = await _client.Messages.GetAsync(published.MessageId);
        Assert.Equal((_name, 1, 7, TimeSpan.FromSeconds(1)), (message.FlowControlKey, message.Parallelism, message.Rate, message.Period));

        await _client.Messages.CancelAsync(published.MessageId);
        await _client.FlowControl.ResumeAsync(_name);
        Assert.True((await _client.FlowControl.GetGlobalParallelismAsync()).ParallelismMax > 0);
        Assert.Equal(400, (await Assert.ThrowsAsync<QStashRequestException>(() => _client.FlowControl.PinAsync(_name))).Status);
    }

    [Fact]
    public async Task The_signing_keys_are_told() =>
        Assert.Equal(new SigningKeyPair { Current = EmbeddedServer.CurrentKey, Next = EmbeddedServer.NextKey }, await _client.SigningKeys.GetAsync());

    [Fact]
    public async Task A_wrong_token_is_refused()
    {
        var stranger = new QStashClient(new QStashClientOptions { BaseUrl = server.Url, Token = "wrong" });

        Assert.Equal(401, (await Assert.ThrowsAsync<QStashRequestException>(() => stranger.Queues.ListAsync())).Status);
    }
}
