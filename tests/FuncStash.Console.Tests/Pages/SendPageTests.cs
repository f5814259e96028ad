using FuncStash.Console.Tests.Running;

namespace FuncStash.Console.Tests.Pages;

public sealed class SendPageTests
{
    [Fact]
    public async Task An_empty_form_on_a_development_server_is_the_first_message()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        Assert.Contains("/console/send", (await browser.GetAsync("/console/messages")).Links("/console/messages"));

        var page = await browser.GetAsync("/console/send");

        Assert.Contains("value=\"http://127.0.0.1:8080/console/echo\"", page.Html, StringComparison.Ordinal);
        // Each option with what the protocol says of it.
        Assert.Contains("Upstash-Retry-Delay : wait before each retry, in milliseconds", page.Text, StringComparison.Ordinal);
        Assert.Contains("Upstash-Not-Before : not before then; beats Upstash-Delay; at once when it is past. Value: unix time in seconds. Not for schedules.", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("](#", page.Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Publish")]
    [InlineData("Enqueue")]
    [InlineData("Batch")]
    public async Task It_is_sent_with_all_that_the_form_says(string mode)
    {
        await using var service = Consoles.Start();

        var answer = await new Browser(service).PostAsync(
            "/console/send", ("mode", mode), ("destination", "https://example.com/a?b=c"), ("queue", mode == "Publish" ? "" : "orders"),
            ("body", "one\r\ntwo"), ("content-type", "text/plain"), ("headers", "X-Mine: ü\r\n\r\nX-Other:2"), ("Upstash-Retries", "7"),
            ("Upstash-Method", "put"), ("Upstash-Label", "a, b"), ("Upstash-Callback", "https://example.com/cb"), ("more", "Upstash-Callback-Retries: 2"),
            ("Upstash-Cron", ""), ("Upstash-Schedule-Id", ""), ("do", "send"));

        Assert.Equal(303, answer.Status);
        var id = answer.Target("/console/send").Split('/')[^1].Split('?')[0];
        var message = (await service.CallAsync("GET", "/v2/messages/" + id)).Json;
        Assert.Equal(("https://example.com/a?b=c", "one\ntwo", "PUT", 7), ((string)message["url"]!, (string)message["body"]!, (string)message["method"]!, (int)message["maxRetries"]!));
        Assert.Equal(("text/plain", "ü", "2"), ((string)message["header"]!["Content-Type"]![0]!, (string)message["header"]!["X-Mine"]![0]!, (string)message["header"]!["X-Other"]![0]!));
        Assert.Equal(mode == "Publish" ? null : "orders", (string?)message["queueName"]);
        Assert.Equal("https://example.com/cb", (string)message["callback"]!);
        Assert.Empty((await service.CallAsync("GET", "/v2/schedules")).Json.AsArray());
    }

    [Fact]
    public async Task A_schedule_is_made_and_edited_without_losing_what_is_not_in_the_form()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var made = await browser.PostAsync(
            "/console/send", ("mode", "Schedule"), ("destination", "https://example.com/a"), ("body", "hello"), ("Upstash-Cron", "0 9 * * *"),
            ("Upstash-Schedule-Id", "nightly"), ("Upstash-Label", "x"), ("Upstash-Callback", "https://example.com/cb"), ("more", "Upstash-Callback-Retries: 2"));
        Assert.Equal("/console/schedules/nightly?done=saved", made.Target("/console/send"));

        var form = await browser.GetAsync("/console/send?schedule=nightly");
        Assert.Contains("value=\"0 9 * * *\"", form.Html, StringComparison.Ordinal);
        Assert.Contains("hello</textarea>", form.Html, StringComparison.Ordinal);
        Assert.Contains("Upstash-Callback-Retries: 2", form.Text, StringComparison.Ordinal);
        await browser.FollowAsync("/console/send", [.. form.Fields("send"), ("Upstash-Cron", "0 10 * * *")]);
        var schedule = (await service.CallAsync("GET", "/v2/schedules/nightly")).Json;
        Assert.Equal(("0 10 * * *", "hello", "x", "https://example.com/cb"), ((string)schedule["cron"]!, (string)schedule["body"]!, (string)schedule["label"]!, (string)schedule["callback"]!));
    }

    [Fact]
    public async Task A_body_that_cannot_be_edited_is_sent_as_it_is_unless_another_is_given()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var id = await service.PublishAsync("https://example.com/", "one\r\ntwo", ("Upstash-Delay", "1h"));

        var form = await browser.GetAsync("/console/send?message=" + id);
        Assert.Contains("The body stays as it is", form.Text, StringComparison.Ordinal);
        Assert.Equal("one\r\ntwo", await SentAsync(form.Fields("send")));
        Assert.Equal("three", await SentAsync([.. form.Fields("send"), ("new-body", "true"), ("body", "three")]));

        async Task<string> SentAsync(IEnumerable<(string, string)> fields)
        {
            var answer = await browser.PostAsync("/console/send", [.. fields]);
            var sent = answer.Target("/console/send").Split('/')[^1].Split('?')[0];
            return (string)(await service.CallAsync("GET", "/v2/messages/" + sent)).Json["body"]!;
        }
    }

    [Theory]
    [InlineData("Publish", "Upstash-Retries", "many", "f-Upstash-Retries-error")]
    [InlineData("Publish", "Upstash-Delay", "soon", "f-Upstash-Delay-error")]
    [InlineData("Publish", "Upstash-Callback", "nowhere", "f-Upstash-Callback-error")]
    [InlineData("Batch", "Upstash-Retry-Delay", "1 +", "f-Upstash-Retry-Delay-error")]
    [InlineData("Schedule", "Upstash-Cron", "never", "f-Upstash-Cron-error")]
    [InlineData("Schedule", "Upstash-Cron", "", "f-Upstash-Cron-error")]
    [InlineData("Schedule", "Upstash-Schedule-Id", "no id", "f-Upstash-Schedule-Id-error")]
    [InlineData("Publish", "destination", "ftp://example.com", "f-destination")]
    [InlineData("Publish", "destination", "no-such-group", "f-destination")]
    [InlineData("Enqueue", "queue", "no name", "f-queue")]
    [InlineData("Publish", "queue", "orders", "f-queue")]
    [InlineData("Publish", "Upstash-Cron", "0 9 * * *", "f-Upstash-Cron-error")]
    [InlineData("Enqueue", "Upstash-Cron", "0 9 * * *", "f-Upstash-Cron-error")]
    [InlineData("Batch", "Upstash-Cron", "0 9 * * *", "f-Upstash-Cron-error")]
    [InlineData("Publish", "Upstash-Schedule-Id", "nightly", "f-Upstash-Schedule-Id-error")]
    [InlineData("Schedule", "Upstash-Not-Before", "2000000000", "f-Upstash-Not-Before-error")]
    [InlineData("Schedule", "Upstash-Deduplication-Id", "mine", "f-Upstash-Deduplication-Id-error")]
    [InlineData("Publish", "headers", "no header", "f-headers")]
    [InlineData("Publish", "headers", "a b: c", "f-headers")]
    [InlineData("Publish", "more", "Upstash-Callback-Retries: many", "f-more")]
    public async Task What_is_refused_is_shown_at_its_field_and_nothing_that_was_typed_is_lost(string mode, string field, string value, string at)
    {
        await using var service = Consoles.Start();
        (string Name, string Value)[] fields =
        [
            ("mode", mode), ("destination", "https://example.com/"), ("queue", mode == "Publish" ? "" : "orders"), ("body", "typed by hand"),
            ("Upstash-Cron", mode == "Schedule" ? "0 9 * * *" : ""), ("Upstash-Callback", field == "more" ? "https://example.com/cb" : ""),
        ];

        var page = await new Browser(service).PostAsync("/console/send", [.. fields.Where(f => f.Name != field), (field, value)]);

        Assert.True(page.Status is 400 or 404, page.Status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Contains("Refused: ", page.Text, StringComparison.Ordinal);
        Assert.Contains("typed by hand</textarea>", page.Html, StringComparison.Ordinal);
        var invalid = page.Html.Split('<').Single(tag => tag.Contains("aria-invalid=\"true\"", StringComparison.Ordinal));
        Assert.Contains($"id=\"{at.Replace("-error", "", StringComparison.Ordinal)}\"", invalid, StringComparison.Ordinal);
        Assert.Empty((await service.CallAsync("GET", "/v2/logs")).Json["logs"]!.AsArray());
        Assert.Empty((await service.CallAsync("GET", "/v2/schedules")).Json.AsArray());
    }

    [Fact]
    public async Task A_redacted_message_is_not_shown_to_be_edited()
    {
        await using var service = Consoles.Start();
        var id = await service.PublishAsync("https://example.com/", "the secret", ("Upstash-Redact-Fields", "body"), ("Upstash-Delay", "1h"));

        var page = await new Browser(service).GetAsync("/console/send?message=" + id);

        Assert.Equal(403, page.Status);
        Assert.DoesNotContain("the secret", page.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_duration_is_edited_in_a_unit_that_people_read()
    {
        await using var service = Consoles.Start();
        var id = await service.PublishAsync("https://example.com/", "hello", ("Upstash-Timeout", "1.5s"), ("Upstash-Delay", "1h"));

        Assert.Contains("value=\"1500ms\"", (await new Browser(service).GetAsync("/console/send?message=" + id)).Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("message")]
    [InlineData("schedule")]
    public async Task A_redacted_body_is_not_sent_in_the_clear_either(string kind)
    {
        await using var service = Consoles.Start();
        var id = kind == "message"
            ? await service.PublishAsync("https://example.com/", "the secret", ("Upstash-Redact-Fields", "body"), ("Upstash-Delay", "1h"))
            : (string)(await service.CallAsync("POST", "/v2/schedules/https://example.com/", "the secret", null, ("Upstash-Redact-Fields", "body"), ("Upstash-Cron", "0 9 * * *"))).Json["scheduleId"]!;
        var before = (await service.CallAsync("GET", "/v2/logs")).Json["logs"]!.AsArray().Count;

        var page = await new Browser(service).PostAsync(
            "/console/send", ("mode", "Publish"), ("destination", "https://example.com/"), ("body-of", $"{kind}:{id}"), ("do", "send"));

        Assert.Equal(403, page.Status);
        Assert.Contains("Parts of it are redacted", page.Text, StringComparison.Ordinal);
        Assert.Equal(before, (await service.CallAsync("GET", "/v2/logs")).Json["logs"]!.AsArray().Count);
    }

    [Fact]
    public async Task The_echo_destination_answers_with_what_it_is_sent_and_only_on_a_development_server()
    {
        await using var open = Consoles.Start();
        var answer = await open.CallAsync("POST", "/console/echo?status=503", "hello", null, ("X-Mine", "1"));
        Assert.Equal((503, "POST", "hello", "1"), (answer.Status, (string)answer.Json["method"]!, (string)answer.Json["body"]!, (string)answer.Json["headers"]!["X-Mine"]!));

        foreach (var status in (string[])["99", "199", "600", "abc", ""])
        {
            var refused = await open.CallAsync("POST", "/console/echo?status=" + status, "hello", null);
            Assert.Equal((400, $"invalid status: {status}: must be a number from 200 to 599"), (refused.Status, (string)refused.Json["error"]!));
        }
        foreach (var status in (int[])[204, 205, 304])
        {
            var empty = await open.CallAsync("POST", "/console/echo?status=" + status, "hello", null);
            Assert.Equal((status, ""), (empty.Status, empty.Text));
        }

        await using var secret = Consoles.Start(Consoles.Secret);
        Assert.Equal(404, (await secret.CallAsync("POST", "/console/echo", "hello", Consoles.Token)).Status);
        var browser = new Browser(secret);
        await browser.SignInAsync(Consoles.Token);
        Assert.DoesNotContain("/console/echo", (await browser.GetAsync("/console/send")).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_shows_the_same_request_as_programs()
    {
        await using var service = Consoles.Start();

        var page = await new Browser(service).PostAsync(
            "/console/send", ("do", "code"), ("mode", "Enqueue"), ("queue", "orders"), ("destination", "https://example.com/a"),
            ("body", """{"it's":"\""}"""), ("content-type", "application/json"), ("Upstash-Delay", "10s"), ("headers", "X-Mine: 1"));

        Assert.Equal(200, page.Status);
        Assert.Contains("""curl -X POST "$QSTASH_URL"'/v2/enqueue/orders/https://example.com/a'""", page.Text, StringComparison.Ordinal);
        Assert.Contains("""--data-raw '{"it'\''s":"\""}'""", page.Text, StringComparison.Ordinal);
        Assert.Contains("""["Upstash-Delay", "10s"]""", page.Text, StringComparison.Ordinal);
        Assert.Contains("""connection.putheader("Upstash-Forward-X-Mine", "1")""", page.Text, StringComparison.Ordinal);
        Assert.Contains("""request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");""", page.Text, StringComparison.Ordinal);
        Assert.Empty((await service.CallAsync("GET", "/v2/logs")).Json["logs"]!.AsArray());
    }
}
