using System.Text;
using System.Text.Json.Nodes;
using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Wire;

namespace FuncStash.Tests.DeadLetters;

public sealed partial class DeadLetterRetryTests : IAsyncDisposable
{
    private readonly TestService _service = new();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task A_retry_makes_a_new_message_with_the_old_ones_settings_and_the_entry_goes()
    {
        var old = Full();
        var id = await _service.AddDeadLetterAsync(old);
        _service.Time.Advance(TimeSpan.FromDays(20));

        var answer = await _service.CallAsync("POST", $"/v2/dlq/retry/{id}");

        Assert.Equal(201, answer.Status);
        var stored = (await _service.MessageAsync((string)answer.Json["messageId"]!))!;
        Assert.NotEqual(old.Id, stored.Id);
        Assert.Equal((_service.Now, _service.Now), (stored.Message.CreatedAt, stored.Message.NotBefore));
        Assert.Equal((MessageState.Created, 0), (stored.Progress.State, stored.Progress.Retried));
        var expected = old with { Id = stored.Id, NotBefore = _service.Now, CallbackOf = null, BodySize = old.Body.Length };
        Assert.Equal(Json(expected), Json(stored.Message));
        Assert.Equal(old.Body, stored.Message.Body);
        Assert.Equal(404, (await _service.CallAsync("GET", $"/v2/dlq/{id}")).Status);
        Assert.Equal(404, (await _service.CallAsync("POST", $"/v2/dlq/retry/{id}")).Status);
    }

    [Theory]
    [InlineData("0s", 0)]
    [InlineData("1h", 3_600_000)]
    public async Task The_new_message_is_due_from_its_creation_on_however_long_the_call_takes(string delay, long later)
    {
        var id = await _service.AddDeadLetterAsync(Full());
        _service.Time.AutoAdvanceAmount = TimeSpan.FromMilliseconds(7);

        var answer = await _service.CallAsync("POST", $"/v2/dlq/retry/{id}", "", null, ("Upstash-Delay", delay));

        var message = (await _service.MessageAsync((string)answer.Json["messageId"]!))!.Message;
        Assert.Equal(message.CreatedAt + later, message.NotBefore);
    }

    [Fact]
    public async Task The_new_message_is_sent_on_its_way()
    {
        // Nothing listens on port 1, so the new message fails in its turn.
        var id = await _service.AddDeadLetterAsync(_service.NewMessage("http://127.0.0.1:1/") with { MaxRetries = 0 });
        var answer = await _service.CallAsync("POST", $"/v2/dlq/retry/{id}");

        await _service.DeliverDueAsync();

        var entries = (await _service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray();
        Assert.Equal((string?)answer.Json["messageId"], (string?)Assert.Single(entries)!["messageId"]);
    }

    [Fact]
    public async Task Redacted_messages_are_sent_with_the_originals()
    {
        var id = await _service.AddDeadLetterAsync(Full() with { Redact = "body,header" });
        var retried = await _service.CallAsync("POST", $"/v2/dlq/retry/{id}");

        var stored = (await _service.MessageAsync((string)retried.Json["messageId"]!))!;
        Assert.Equal("secret", Encoding.UTF8.GetString(stored.Message.Body));
        Assert.Equal(["acme"], stored.Message.Header["X-Tenant"]!);
        var shown = await _service.CallAsync("GET", "/v2/messages/" + stored.Id);
        Assert.DoesNotContain("secret", shown.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("acme", shown.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_payload_of_its_own_is_carried_over()
    {
        var body = new byte[300_000];
        Random.Shared.NextBytes(body);
        var id = await _service.AddDeadLetterAsync(_service.NewMessage("https://example.com/") with { Body = body, BodyName = "old" });

        var answer = await _service.CallAsync("POST", $"/v2/dlq/retry/{id}");

        var stored = (await _service.MessageAsync((string)answer.Json["messageId"]!))!;
        Assert.Equal(body, await _service.Get<MessageStore>().BodyAsync(stored.Message));
    }

    [Fact]
    public async Task One_that_is_deleted_at_the_same_time_is_sent_or_deleted_and_not_both()
    {
        var letters = _service.Get<DeadLetterStore>();
        var id = await _service.AddDeadLetterAsync(Full());
        // A retry that has begun and has made no message yet.
        Assert.True(await letters.BeginRetryAsync((await letters.GetAsync(id))!, _service.Get<MessageIds>().Next()));
        var deletion = _service.CallAsync("DELETE", $"/v2/dlq/{id}");
        Assert.False(deletion.IsCompleted);

        Assert.Equal(201, (await _service.CallAsync("POST", $"/v2/dlq/retry/{id}")).Status);
        _service.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(404, (await deletion).Status);
        Assert.Single(await _service.Get<LiveMessages>().FindAsync(new()).ToListAsync());
    }

    [Fact]
    public async Task One_whose_retry_died_can_be_deleted()
    {
        var letters = _service.Get<DeadLetterStore>();
        var id = await _service.AddDeadLetterAsync(Full());
        Assert.True(await letters.BeginRetryAsync((await letters.GetAsync(id))!, _service.Get<MessageIds>().Next()));
        _service.Time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(200, (await _service.CallAsync("DELETE", $"/v2/dlq/{id}")).Status);
        Assert.Null(await letters.GetAsync(id));
    }

    [Fact]
    public async Task One_that_was_not_sent_for_another_can_be_deleted_at_once()
    {
        var id = await _service.AddDeadLetterAsync(Full());
        var of = ("Upstash-Deduplication-Id", "d");
        await _service.PublishAsync("https://example.com/", headers: of);
        Assert.True((bool)(await _service.CallAsync("POST", $"/v2/dlq/retry/{id}", "", null, of)).Json["deduplicated"]!);

        Assert.Equal(200, (await _service.CallAsync("DELETE", $"/v2/dlq/{id}").WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System)).Status);
    }

    [Fact]
    public async Task A_retry_repeated_after_a_crash_makes_one_message()
    {
        var (letters, publisher) = (_service.Get<DeadLetterStore>(), _service.Get<Publisher>());
        var id = await _service.AddDeadLetterAsync(Full());
        // What a process that dies between storing the message and removing the entry leaves behind.
        var letter = (await letters.GetAsync(id))!;
        var begun = _service.Get<MessageIds>().Next();
        Assert.True(await letters.BeginRetryAsync(letter, begun));
        await publisher.PublishAsync(letter.Message with { Id = begun }, null);
        _service.Time.Advance(TimeSpan.FromMinutes(5));

        var answer = await _service.CallAsync("POST", "/v2/dlq/retry/" + id);

        Assert.Equal(begun.Text, (string?)answer.Json["messageId"]);
        Assert.Equal([begun], await _service.Get<LiveMessages>().FindAsync(new()).ToListAsync());
        Assert.Null(await letters.GetAsync(id));
    }

    [Fact]
    public async Task Retries_at_the_same_time_make_one_message()
    {
        var id = await _service.AddDeadLetterAsync(Full());
        var retry = _service.Get<DeadLetterRetry>();

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () => await retry.RetryAsync(id, new()))));

        Assert.Single(results.OfType<Published>().Select(p => p.Id).Distinct());
        Assert.Single(await _service.Get<LiveMessages>().FindAsync(new()).ToListAsync());
    }

    [Fact]
    public async Task A_duplicate_is_not_sent_and_its_entry_stays()
    {
        var first = await _service.PublishAsync("https://example.com/", "x", ("Upstash-Deduplication-Id", "once"));
        var id = await _service.AddDeadLetterAsync(Full());

        var answer = await _service.CallAsync("POST", $"/v2/dlq/retry/{id}", "", null, ("Upstash-Deduplication-Id", "once"));

        Assert.Equal((201, first, true), (answer.Status, (string?)answer.Json["messageId"], (bool?)answer.Json["deduplicated"]));
        Assert.Equal(200, (await _service.CallAsync("GET", $"/v2/dlq/{id}")).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_several_under_one_deduplication_id_one_is_sent_and_the_entries_of_the_others_stay(bool inOneCall)
    {
        var ids = new List<DlqId>();
        foreach (var tenant in new[] { "a", "b", "c", "d" })
            ids.Add(await _service.AddDeadLetterAsync(Full() with { Header = new HeaderMap().With("X-Tenant", tenant) }));
        var changes = new PublishSettings { DeduplicationId = "same" };
        var retry = _service.Get<DeadLetterRetry>();

        IReadOnlyList<Published> results = inOneCall
            ? await retry.RetryAsync(ids, changes)
            : [.. (await Task.WhenAll(ids.Select(id => Task.Run(async () => await retry.RetryAsync(id, changes))))).OfType<Published>()];

        var sent = await _service.MessageAsync(Assert.Single(results, one => !one.Deduplicated).Id.Text);
        Assert.Equal(4, results.Count);
        var left = (await _service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray();
        Assert.Equal(
            ["a", "b", "c", "d"],
            left.Select(letter => (string)letter!["header"]!["X-Tenant"]![0]!).Append(sent!.Message.Header["X-Tenant"]![0]).Order());
    }

    [Fact]
    public async Task Many_are_retried_by_filter_page_by_page()
    {
        for (var i = 0; i < 5; i++)
            await _service.AddDeadLetterAsync(_service.NewMessage("https://example.com/", i == 0 ? "b" : "a"));

        var first = await _service.CallAsync("POST", "/v2/dlq/retry?label=a&count=3");
        var second = await _service.CallAsync("POST", "/v2/dlq/retry?label=a&count=3&cursor=" + (string)first.Json["cursor"]!);

        Assert.Equal((3, 1), (Responses(first).Count, Responses(second).Count));
        Assert.Null(second.Json["cursor"]);
        Assert.Single((await _service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray());
    }

    [Theory]
    [InlineData("?label=none")]
    [InlineData("?source=workflow")]
    [InlineData("?responseStatus=418&count=10")]
    public async Task A_filter_without_a_match_is_no_error(string query)
    {
        await _service.AddDeadLetterAsync(Full());
        var answer = await _service.CallAsync("POST", "/v2/dlq/retry" + query);
        Assert.Equal((201, """{"responses":[]}"""), (answer.Status, answer.Text));
    }

    [Fact]
    public async Task Unknown_ids_are_not_found_and_the_others_stay()
    {
        var id = await _service.AddDeadLetterAsync(Full());

        Assert.Equal(404, (await _service.CallAsync("POST", $"/v2/dlq/retry?dlqIds={id}&dlqIds=1-1")).Status);
        Assert.Equal(404, (await _service.CallAsync("POST", "/v2/dlq/retry/nonsense")).Status);
        Assert.Equal(200, (await _service.CallAsync("GET", $"/v2/dlq/{id}")).Status);
    }

    private static JsonArray Responses(TestAnswer answer) => answer.Json["responses"]!.AsArray();

    private static string Json(Message message) => Encoding.UTF8.GetString(MessageJson.Write(message));

    private Message Full() => _service.NewMessage("https://example.com/hook?x=1", "billing") with
    {
        Method = "PATCH",
        Header = new HeaderMap().With("Content-Type", "text/plain").With("X-Tenant", "acme"),
        Body = "secret"u8.ToArray(),
        MaxRetries = 7,
        RetryDelay = "1000",
        TimeoutMs = 9000,
        Callback = new("https://example.com/done", new HeaderMap().With("Upstash-Retries", "1")),
        FailureCallback = new("https://example.com/failed", HeaderMap.Empty),
        TopicName = "topic", EndpointName = "endpoint", ScheduleId = "schedule",
        CallerIp = "192.0.2.1",
        CallbackOf = "msg_before",
    };
}
