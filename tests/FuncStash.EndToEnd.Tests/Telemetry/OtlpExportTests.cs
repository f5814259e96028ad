
namespace FuncStash.EndToEnd.Tests.Telemetry;

/// <summary>What a collector sees of the running server.</summary>
public sealed class OtlpExportTests(SqliteHost hosts)
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c", PublisherId = "b7ad6b7169203331";

    [Fact]
    public async Task A_publish_its_attempt_and_its_callback_reach_the_collector_as_one_trace_with_their_metrics()
    {
        await using var collector = await OtlpReceiver.StartAsync();
        await using var receiver = await Receiver.StartAsync();
        await using var data = new WithSettings(await hosts.NewDataAsync(), new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "stash",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
        });
        await using var host = await hosts.StartAsync(data);

        var id = await new WireClient(host).PublishAsync(receiver.Url("/hook"), "{}",
            ("Upstash-Callback", receiver.Url("/back")), ("traceparent", $"00-{TraceId}-{PublisherId}-01"));
        var hook = await receiver.OneAsync("/hook");
        var back = await receiver.OneAsync("/back");
        var spans = await Eventually.GetAsync(
            () => Task.FromResult(collector.Spans.ToArray()), found => found.Length >= 4,
            found => string.Join(' ', found.Select(span => span.Name)));
        await Eventually.GetAsync(
            () => Task.FromResult(collector.Metrics.GetValueOrDefault("funcstash.messages.delivered")), found => found?.Count == 2);

        Assert.All(spans, span => Assert.Equal(("stash", TraceId), (span.Service, span.TraceId)));
        var publish = Assert.Single(spans, span => span.ParentId == PublisherId);
        var attempt = Assert.Single(spans, span => span.ParentId == publish.Id);
        var callback = Assert.Single(spans, span => span.ParentId == attempt.Id);
        var callbackAttempt = Assert.Single(spans, span => span.ParentId == callback.Id);
        Assert.Equal(["publish", "attempt", "callback", "attempt"],
            new[] { publish, attempt, callback, callbackAttempt }.Select(span => span.Name));
        Assert.Equal(id, attempt.Attributes["messaging.message.id"]);
        Assert.Equal($"00-{TraceId}-{attempt.Id}-01", hook.Header("traceparent"));
        Assert.Equal($"00-{TraceId}-{callbackAttempt.Id}-01", back.Header("traceparent"));

        Assert.Equal(new Metric("{message}", 2), collector.Metrics["funcstash.messages.published"]);
        Assert.Equal(new Metric("s", 2), collector.Metrics["funcstash.attempt.duration"]);
        Assert.Equal(new Metric("s", 2), collector.Metrics["funcstash.delivery.latency"]);
    }
}
