using System.Diagnostics;

namespace FuncStash.Tests.Telemetry;

public sealed class TracingTests : IAsyncLifetime
{
    private const string TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", TraceState = "vendor=1";

    private readonly TestService _service = new();
    private TestDestination _destination = null!;

    public async ValueTask InitializeAsync() => _destination = await TestDestination.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        await _destination.DisposeAsync();
    }

    [Fact]
    public async Task Publish_attempts_and_callbacks_are_one_trace_from_publisher_to_destination()
    {
        using var listening = new Listening();
        _destination.Status = (path, retried) => path == "/hook" && retried == 0 ? 503 : 200;

        await PublishAsync("/hook", ("traceparent", TraceParent), ("tracestate", TraceState), ("Upstash-Retry-Delay", "1000"),
            ("Upstash-Callback", _destination.Url("/back")));
        await _service.DeliverDueAsync();
        _service.Time.Advance(TimeSpan.FromSeconds(1));
        await _service.DeliverDueAsync();

        var publish = Assert.Single(listening.Named("publish"));
        var attempts = listening.Named("attempt").Where(span => span.ParentSpanId == publish.SpanId).ToList();
        var callbacks = listening.Named("callback");
        Assert.All(listening.Spans, span => Assert.Equal(TraceParent[3..35], span.TraceId.ToHexString()));
        Assert.Equal((TraceParent[36..52], ActivityKind.Producer), (publish.ParentSpanId.ToHexString(), publish.Kind));
        Assert.Equal([503, 200], attempts.Select(span => span.GetTagItem("http.response.status_code")));
        Assert.Equal([ActivityStatusCode.Error, ActivityStatusCode.Unset], attempts.Select(span => span.Status));
        Assert.Equal(attempts.Select(span => span.SpanId), callbacks.Select(span => span.ParentSpanId));
        Assert.Equal(4, listening.Named("attempt").Count);
        // What a destination gets is its attempt's.
        Assert.Equal(attempts.Select(span => span.Id), _destination.Headers("/hook").Select(h => h["traceparent"].Single()));
        Assert.Equal(
            listening.Named("attempt").Where(span => callbacks.Any(c => c.SpanId == span.ParentSpanId)).Select(span => span.Id).Order(),
            _destination.Headers("/back").Select(h => h["traceparent"].Single()).Order());
        Assert.All(_destination.Headers("/hook"), headers => Assert.Equal(TraceState, headers["tracestate"]));
    }

    [Fact]
    public async Task Unheard_the_publishers_trace_context_is_passed_on_as_it_came_and_none_is_made_up()
    {
        await PublishAsync("/with", ("traceparent", TraceParent), ("tracestate", TraceState), ("Upstash-Callback", _destination.Url("/back")));
        await PublishAsync("/without");
        await PublishAsync("/malformed", ("traceparent", "00-zz"), ("tracestate", TraceState));
        await _service.CallAsync("POST", "/v2/batch", $$"""[{"destination":"{{_destination.Url("/batch")}}"}]""", null, ("traceparent", TraceParent));
        await _service.DeliverDueAsync();

        foreach (var path in (string[])["/with", "/back"])
        {
            var headers = Assert.Single(_destination.Headers(path));
            Assert.Equal((TraceParent, TraceState), (headers["traceparent"].ToString(), headers["tracestate"].ToString()));
        }
        Assert.Equal(TraceParent, Assert.Single(_destination.Headers("/batch"))["traceparent"].ToString());
        foreach (var path in (string[])["/without", "/malformed"])
        {
            var headers = Assert.Single(_destination.Headers(path));
            Assert.DoesNotContain("traceparent", headers.Keys, StringComparer.OrdinalIgnoreCase);
            Assert.DoesNotContain("tracestate", headers.Keys, StringComparer.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task A_trace_context_forwarded_as_a_header_is_left_alone()
    {
        using var listening = new Listening();

        await PublishAsync("/hook", ("Upstash-Forward-Traceparent", TraceParent));
        await _service.DeliverDueAsync();

        var headers = Assert.Single(_destination.Headers("/hook"));
        Assert.Equal(TraceParent, headers["traceparent"].ToString());
        Assert.DoesNotContain("tracestate", headers.Keys, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Neither_body_nor_headers_nor_more_of_the_URL_than_its_host_are_in_a_span()
    {
        using var listening = new Listening();
        _destination.Status = (_, _) => 500;

        await _service.PublishAsync(
            _destination.Url("/hush?key=hush"), "hush", ("Upstash-Forward-X-Key", "hush"), ("Upstash-Retries", "0"),
            ("Upstash-Failure-Callback", _destination.Url("/hush")), ("Upstash-Label", "hush"));
        await _service.DeliverDueAsync();

        Assert.Equal(["attempt", "attempt", "callback", "publish"], listening.Spans.Select(span => span.OperationName).Order());
        var text = listening.Spans.SelectMany(span =>
            span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}").Append($"{span.DisplayName} {span.StatusDescription}"));
        Assert.DoesNotContain(text, line => line.Contains("hush", StringComparison.Ordinal));
        Assert.Contains("server.address=127.0.0.1", text);
    }

    [Fact]
    public async Task An_activity_that_nobody_sees_is_no_parent()
    {
        using var listening = new Listening();
        using var unseen = new Activity("Microsoft.AspNetCore.Hosting.HttpRequestIn").Start();

        await PublishAsync("/a", ("traceparent", TraceParent));
        await PublishAsync("/b");

        var spans = listening.Named("publish");
        Assert.Equal(TraceParent[36..52], spans[0].ParentSpanId.ToHexString());
        Assert.Equal(default, spans[1].ParentSpanId);
        Assert.NotEqual(unseen.TraceId, spans[1].TraceId);
    }

    [Theory]
    [InlineData("/v2/publish/nobody", "", 404, "404")]
    [InlineData("/v2/batch", """[{"destination":"nobody"},{"destination":"ftp://a"}]""", 200, "404")]
    [InlineData("/v2/batch", """[{"destination":"nobody"},{"destination":"https://example.com"}]""", 200, null)]
    public async Task A_publish_that_is_refused_is_an_error_and_a_batch_when_all_of_it_is(string path, string body, int status, string? error)
    {
        using var listening = new Listening();

        var answer = await _service.CallAsync("POST", path, body);

        Assert.Equal(status, answer.Status);
        var span = Assert.Single(listening.Named("publish"));
        Assert.Equal((error is null ? ActivityStatusCode.Unset : ActivityStatusCode.Error, error), (span.Status, span.GetTagItem("error.type")));
    }

    private Task<string> PublishAsync(string path, params (string, string)[] headers) =>
        _service.PublishAsync(_destination.Url(path), "{}", headers);
}
