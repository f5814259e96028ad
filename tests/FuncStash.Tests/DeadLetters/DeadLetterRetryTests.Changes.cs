using System.Text;
using System.Text.Json.Nodes;
using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Wire;

namespace FuncStash.Tests.DeadLetters;

// What the headers of the call change of the message.
public sealed partial class DeadLetterRetryTests
{
    [Fact]
    public async Task A_delayed_callback_comes_into_no_queue_by_a_retry()
    {
        var plain = _service.NewMessage("https://example.com/");
        var delayed = new CallbackSettings("https://example.com/cb", new HeaderMap().With("Upstash-Delay", "6s"));
        var delayedId = await _service.AddDeadLetterAsync(plain with { FailureCallback = delayed });
        var queuedId = await _service.AddDeadLetterAsync(_service.NewMessage("https://example.com/") with { QueueName = "orders" });
        var otherId = await _service.AddDeadLetterAsync(_service.NewMessage("https://example.com/"));
        (string, string)[] queue = [("Upstash-Queue-Name", "orders")];
        (string, string)[] callback = [("Upstash-Callback", "https://example.com/cb"), ("Upstash-Callback-Delay", "5s")];

        foreach (var (target, headers, name) in new[]
        {
            ($"/{delayedId}", queue, "Upstash-Failure-Callback-Delay"), ($"?dlqIds={otherId}&dlqIds={delayedId}", queue, "Upstash-Failure-Callback-Delay"),
            ($"/{queuedId}", callback, "Upstash-Callback-Delay"), ($"?dlqIds={otherId}&dlqIds={queuedId}", callback, "Upstash-Callback-Delay"),
        })
        {
            var answer = await _service.CallAsync("POST", "/v2/dlq/retry" + target, "", null, headers);
            Assert.Equal((400, $"invalid {name}: callbacks of queued messages cannot be delayed"), (answer.Status, answer.Error));
        }
        Assert.Equal(3, (await _service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray().Count);
        Assert.Equal(201, (await _service.CallAsync("POST", $"/v2/dlq/retry/{delayedId}", "", null)).Status);
        Assert.Equal(201, (await _service.CallAsync("POST", $"/v2/dlq/retry/{otherId}", "", null, callback)).Status);
    }

    [Fact]
    public async Task Settings_of_the_call_override_the_stored_ones()
    {
        var id = await _service.AddDeadLetterAsync(Full());

        var answer = await _service.CallAsync("POST", "/v2/dlq/retry?dlqIds=" + id, "", null,
            ("Upstash-Retries", "0"), ("Upstash-Method", "PUT"), ("Upstash-Delay", "10s"), ("Upstash-Label", "new"),
            ("Upstash-Forward-X-Tenant", "other"), ("Upstash-Callback", "https://example.com/new"), ("Content-Type", "text/x-of-the-call"),
            ("Upstash-Timeout", "3s"), ("Upstash-Retry-Delay", "5"), ("Upstash-Redact-Fields", "body"));

        Assert.Equal(201, answer.Status);
        var message = (await _service.MessageAsync((string)answer.Json["responses"]![0]!["messageId"]!))!.Message;
        Assert.Equal((0, "PUT", "5", 3000, "body"), (message.MaxRetries, message.Method, message.RetryDelay, message.TimeoutMs, message.Redact));
        Assert.Equal(_service.Now + 10_000, message.NotBefore);
        Assert.Equal(["new"], message.Labels!);
        Assert.Equal(["other"], message.Header["X-Tenant"]!);
        Assert.Equal(["text/plain"], message.Header["Content-Type"]!);
        Assert.Equal("https://example.com/new", message.Callback!.Url);
        Assert.Equal("https://example.com/failed", message.FailureCallback!.Url);
    }

    [Fact]
    public async Task A_setting_that_means_nothing_is_refused_and_the_entry_stays()
    {
        var id = await _service.AddDeadLetterAsync(Full());

        Assert.Equal(400, (await _service.CallAsync("POST", $"/v2/dlq/retry/{id}", "", null, ("Upstash-Retries", "x"))).Status);
        Assert.Equal(200, (await _service.CallAsync("GET", $"/v2/dlq/{id}")).Status);
    }

    [Fact]
    public async Task Settings_of_the_call_for_a_callback_replace_those_of_their_names()
    {
        var letter = Full() with
        {
            Callback = new("https://example.com/done", new HeaderMap().With("Upstash-Retries", "1").With("Upstash-Forward-Q", "old").With("Upstash-Delay", "3s")),
        };
        foreach (var url in new[] { "https://example.com/done", "https://example.com/new" })
        {
            var id = await _service.AddDeadLetterAsync(letter);
            List<(string, string)> headers =
            [
                ("Upstash-Callback-Retries", "2"), ("Upstash-Callback-Forward-R", "r"), ("Upstash-Failure-Callback-Retries", "4"),
                ("Upstash-Callback-Not-Before", "1"),
            ];
            if (url != letter.Callback.Url)
                headers.Add(("Upstash-Callback", url));

            var answer = await _service.CallAsync("POST", $"/v2/dlq/retry/{id}", "", null, [.. headers]);

            var message = (await _service.MessageAsync((string)answer.Json["messageId"]!))!.Message;
            Assert.Equal(url, message.Callback!.Url);
            Assert.Equal(
                "Upstash-Delay=3s Upstash-Forward-Q=old Upstash-Forward-R=r Upstash-Not-Before=1 Upstash-Retries=2", Text(message.Callback.Settings));
            Assert.Equal("Upstash-Retries=4", Text(message.FailureCallback!.Settings));
        }

        static string Text(HeaderMap settings) => string.Join(' ', settings.Select(one => $"{one.Key}={one.Value[0]}").Order());
    }

    [Theory]
    [InlineData("Upstash-Callback-Not-Before", "4102444800")]
    [InlineData("Upstash-Callback-Callback-Not-Before", "4102444800")]
    [InlineData("Upstash-Callback-Callback-Retries", "x")]
    [InlineData("Upstash-Callback-Callback", "nonsense")]
    [InlineData("Upstash-Failure-Callback-Retry-Delay", "1 +")]
    public async Task A_setting_for_a_callback_that_the_message_has_is_as_right_as_the_others(string name, string value)
    {
        var nested = new HeaderMap().With("Upstash-Callback", "https://example.com/further");
        List<DlqId> ids = [await _service.AddDeadLetterAsync(_service.NewMessage("https://example.com/")), await _service.AddDeadLetterAsync(Full() with { Callback = new("https://example.com/done", nested) })];

        foreach (var target in new[] { $"/v2/dlq/retry/{ids[1]}", $"/v2/dlq/retry?dlqIds={ids[0]},{ids[1]}" })
        {
            var answer = await _service.CallAsync("POST", target, "", null, (name, value));

            Assert.Equal(400, answer.Status);
            Assert.StartsWith(name.StartsWith("Upstash-F", StringComparison.Ordinal) ? "Upstash-Failure-Callback: " : "Upstash-Callback: ", answer.Error, StringComparison.Ordinal);
            Assert.Equal(2, (await _service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray().Count);
        }
        Assert.Empty(await _service.Get<LiveMessages>().FindAsync(new()).ToListAsync());
    }
}
