
namespace FuncStash.Tests.Callbacks;

/// <summary>What a callback's settings mean, and what it takes over from its source (protocol#callback-settings, protocol#redaction).</summary>
public sealed class CallbackSettingsTests
{
    [Theory]
    [InlineData("body", true, false)]
    [InlineData("header[X-Key]", true, false)]
    [InlineData("headers", true, true)]
    public async Task What_is_hidden_of_a_message_does_not_show_in_the_log_of_its_callback(string fields, bool body, bool headers)
    {
        await using var service = new TestService();
        var received = new List<string>();
        await using var destination = await StandIn.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            received.Add($"{context.Request.Path} {context.Request.Headers.Authorization} {await reader.ReadToEndAsync()}");
            context.Response.StatusCode = context.Request.Path == "/hook" ? 500 : 200;
        });
        await service.PublishAsync(
            destination.Url + "/hook", "top secret", ("Upstash-Redact-Fields", fields), ("Upstash-Forward-X-Key", "hush"),
            ("Upstash-Retries", "0"), ("Upstash-Callback", destination.Url + "/done"),
            ("Upstash-Callback-Forward-Authorization", "Bearer mine"), ("Upstash-Failure-Callback", destination.Url + "/failed"));
        await service.DeliverDueAsync();

        foreach (var path in new[] { "/done", "/failed" })
        {
            var log = (await service.CallAsync("GET", "/v2/events?path=" + path)).Json["events"]!.AsArray();
            Assert.NotEmpty(log);
            Assert.All(log, entry => Assert.Equal(body, ((string)entry!["body"]!).StartsWith("REDACTED:", StringComparison.Ordinal)));
            Assert.All(log, entry => Assert.Equal(headers, !entry!["header"]!.ToJsonString().Contains("/json", StringComparison.Ordinal)));
        }
        // The callback itself has it all.
        var done = Assert.Single(received, call => call.StartsWith("/done Bearer mine", StringComparison.Ordinal));
        Assert.Contains("\"sourceBody\":\"dG9wIHNlY3JldA==\"", done, StringComparison.Ordinal);
        Assert.Contains("hush", done, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_else_is_to_be_hidden_of_a_callback_uncovers_nothing_of_its_message()
    {
        await using var service = new TestService();
        await using var destination = await StandIn.StartAsync(500);
        await service.PublishAsync(
            destination.Url + "/hook", "top secret", ("Upstash-Redact-Fields", "body"), ("Upstash-Retries", "0"),
            ("Upstash-Callback", destination.Url + "/done"), ("Upstash-Callback-Redact-Fields", "header[Authorization]"),
            ("Upstash-Callback-Forward-Authorization", "Bearer mine"));
        await service.DeliverDueAsync();

        var callback = (string)(await service.CallAsync("GET", "/v2/events?path=/done")).Json["events"]![0]!["messageId"]!;
        foreach (var path in new[] { "/v2/messages/" + callback, "/v2/dlq", "/v2/events" })
            Assert.DoesNotContain("dG9wIHNlY3JldA", (await service.CallAsync("GET", path)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("mine", (await service.CallAsync("GET", "/v2/messages/" + callback)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("header[authorization]", true)]
    [InlineData("headers", true)]
    [InlineData("header[X-Key], body", false)]
    public async Task What_goes_to_a_callback_is_hidden_where_its_message_is_shown(string fields, bool isHidden)
    {
        await using var service = new TestService();
        const string Target = "https://api.example.com", Secret = "Bearer mine";
        (string, string)[] headers =
        [
            ("Upstash-Redact-Fields", fields), ("Upstash-Callback", Target), ("Upstash-Callback-Forward-Authorization", Secret),
            ("Upstash-Callback-Retries", "1"), ("Upstash-Failure-Callback", Target),
            ("Upstash-Failure-Callback-Callback", Target), ("Upstash-Failure-Callback-Callback-Forward-Authorization", Secret),
        ];
        var id = await service.PublishAsync(Target, "", headers);
        var schedule = await service.CallAsync("POST", "/v2/schedules/" + Target, "", null, [.. headers, ("Upstash-Cron", "0 0 * * *")]);
        await service.AddDeadLetterAsync((await service.MessageAsync(id))!.Message);

        foreach (var path in new[] { "/v2/messages/" + id, "/v2/events", "/v2/dlq", "/v2/schedules/" + (string)schedule.Json["scheduleId"]! })
        {
            var shown = (await service.CallAsync("GET", path)).Text;
            Assert.Equal(isHidden, !shown.Contains(Secret, StringComparison.Ordinal));
            Assert.Contains("Upstash-Callback-Forward-Authorization", shown, StringComparison.Ordinal);
            Assert.Equal(fields != "headers", shown.Contains("\"Upstash-Retries\":[\"1\"]", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_names_of_settings_are_shown_in_canonical_form()
    {
        await using var service = new TestService();
        var id = await service.PublishAsync(
            "https://api.example.com", "", ("upstash-callback", "https://api.example.com/done"), ("upstash-callback-retries", "1"),
            ("upstash-callback-forward-x-key", "v"));

        var shown = (await service.CallAsync("GET", $"/v2/messages/{id}")).Json["callbackHeader"]!;

        Assert.Equal("""{"Upstash-Retries":["1"],"Upstash-Forward-X-Key":["v"]}""", shown.ToJsonString());
    }

    [Theory]
    [InlineData("Upstash-Callback")]
    [InlineData("Upstash-Failure-Callback")]
    public async Task A_delayed_callback_is_accepted_except_in_a_queue(string callback)
    {
        await using var service = new TestService();
        (string, string)[] headers =
            [(callback, "https://api.example.com/done"), (callback + "-Delay", "1m"), ("Upstash-Cron", "0 0 * * *")];

        Assert.Equal(200, (await service.CallAsync("POST", "/v2/publish/https://api.example.com", "", null, headers)).Status);
        Assert.Equal(200, (await service.CallAsync("POST", "/v2/schedules/https://api.example.com", "", null, headers)).Status);
        var queued = await service.CallAsync("POST", "/v2/enqueue/orders/https://api.example.com", "", null, headers);
        Assert.True(queued.Status == 400, queued.Text);
        Assert.Equal($"invalid {callback}-Delay: callbacks of queued messages cannot be delayed", queued.Error);
        var scheduled = await service.CallAsync(
            "POST", "/v2/schedules/https://api.example.com", "", null, [.. headers, ("Upstash-Queue-Name", "orders")]);
        Assert.True(scheduled.Status == 400, scheduled.Text);
    }

    [Theory]
    [InlineData("Upstash-Callback-Not-Before", 400)]
    [InlineData("Upstash-Callback-Callback-Delay", 400)]
    [InlineData("upstash-callback-failure-callback-not-before", 400)]
    [InlineData("Upstash-Callback-Callback-Failure-Callback-Delay", 400)]
    [InlineData("Upstash-Callback-Callback-Retry-Delay", 200)]
    [InlineData("Upstash-Callback-Forward-Callback-Delay", 200)]
    [InlineData("Upstash-Callback-Callback-Forward-Delay", 200)]
    public async Task So_it_is_with_the_callback_of_a_callback(string name, int status)
    {
        await using var service = new TestService();
        (string, string)[] headers =
        [
            ("Upstash-Callback", "https://api.example.com/a"), ("Upstash-Callback-Callback", "https://api.example.com/b"),
            ("Upstash-Callback-Failure-Callback", "https://api.example.com/c"), (name, name.EndsWith("before", StringComparison.OrdinalIgnoreCase) ? "4000000000" : "9"),
        ];

        var queued = await service.CallAsync("POST", "/v2/enqueue/orders/https://api.example.com", "", null, headers);

        Assert.True(queued.Status == status, queued.Text);
        if (status == 400)
            Assert.Equal($"invalid {name}: callbacks of queued messages cannot be delayed", queued.Error, ignoreCase: true);
    }
}
