using System.Text.Json.Nodes;
using FuncStash.Deduplication;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Tests.Admission;
using FuncStash.Upkeep;

namespace FuncStash.Tests.Deduplication;

/// <summary>A cancelled message keeps no deduplication id, however it was cancelled: the next publish of that id is a new message.</summary>
public sealed class CancelledIdTests
{
    private static readonly (string, string) s_id = ("Upstash-Deduplication-Id", "d"), s_delay = ("Upstash-Delay", "1h");

    private static string IdOf((int Status, JsonNode? Json) answer) => (string)answer.Json!["messageId"]!;

    private static Task<(int Status, JsonNode? Json)> SendAsync(
        LiveService service, string call, string path, params (string, string)[] headers) =>
        service.SendAsync("POST", $"/v2/{call}/" + service.Receiver.Url(path), "body", headers);

    [Theory]
    [InlineData("alone", "publish")]
    [InlineData("by ids", "publish")]
    [InlineData("by a filter", "publish")]
    [InlineData("alone", "enqueue/q")]
    [InlineData("with its queue", "enqueue/q")]
    [InlineData("with its queue, before it was due", "enqueue/q")]
    public async Task The_id_is_free(string how, string call)
    {
        await using var service = await LiveService.StartAsync();
        if (call == "enqueue/q")
            await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","paused":true}""");
        // In its queue it waits in line, unless it is delayed.
        (string, string)[] headers = how == "with its queue" ? [s_id] : [s_id, s_delay];
        var first = await SendAsync(service, call, "/first", headers);
        Assert.Equal(202, (await SendAsync(service, call, "/first", headers)).Status);
        await CancelAsync(service, how, IdOf(first));

        var second = await SendAsync(service, "publish", "/second", s_id);
        var third = await SendAsync(service, "publish", "/second", s_id);

        Assert.Equal((200, 202), (second.Status, third.Status));
        Assert.NotEqual(IdOf(first), IdOf(second));
        Assert.Equal(IdOf(second), IdOf(third));
        service.Clock.Advance(2 * 3_600_000);
        await service.RunNowAsync();
        Assert.Equal(["/second"], service.Receiver.Paths);
        Assert.Equal(MessageState.Canceled, await service.StateOfAsync(IdOf(first)));
    }

    private static Task<(int Status, JsonNode? Json)> CancelAsync(LiveService service, string how, string id) => how switch
    {
        "alone" => service.SendAsync("DELETE", "/v2/messages/" + id),
        "by ids" => service.SendAsync("DELETE", "/v2/messages", $$"""{"messageIds":["{{id}}"]}"""),
        "by a filter" => service.SendAsync("DELETE", "/v2/messages?path=%2Ffirst"),
        _ => service.SendAsync("DELETE", "/v2/queues/q"),
    };

    [Fact]
    public async Task So_is_the_id_that_follows_from_the_content()
    {
        await using var service = await LiveService.StartAsync();
        var byContent = ("Upstash-Content-Based-Deduplication", "true");
        var first = await SendAsync(service, "publish", "/x", byContent, s_delay);
        await service.SendAsync("DELETE", "/v2/messages/" + IdOf(first));

        Assert.Equal(200, (await SendAsync(service, "publish", "/x", byContent, s_delay)).Status);
    }

    [Fact]
    public async Task Of_a_group_those_endpoints_get_a_new_message_whose_first_was_cancelled()
    {
        await using var service = await LiveService.StartAsync();
        await service.SendAsync("POST", "/v2/topics/g/endpoints",
            $$"""{"endpoints":[{"url":"{{service.Receiver.Url("/a")}}"},{"url":"{{service.Receiver.Url("/b")}}"}]}""");
        var first = await service.SendAsync("POST", "/v2/publish/g", "x", s_id, s_delay);
        await service.SendAsync("DELETE", "/v2/messages/" + (string)first.Json![0]!["messageId"]!);

        var second = await service.SendAsync("POST", "/v2/publish/g", "x", s_id, s_delay);

        Assert.Equal([null, "true"], second.Json!.AsArray().Select(m => m!["deduplicated"]?.ToJsonString()));
        Assert.NotEqual((string)first.Json[0]!["messageId"]!, (string)second.Json[0]!["messageId"]!);
        Assert.Equal((string)first.Json[1]!["messageId"]!, (string)second.Json[1]!["messageId"]!);
    }

    [Fact]
    public async Task Of_many_publishes_at_once_one_takes_it_over()
    {
        await using var service = await LiveService.StartAsync();
        for (var round = 0; round < 10; round++)
        {
            var last = await SendAsync(service, "publish", "/x", s_id, s_delay);
            await service.SendAsync("DELETE", "/v2/messages/" + IdOf(last));

            var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync(service, "publish", "/x", s_id, s_delay)));

            Assert.Single(answers, a => a.Status == 200);
            Assert.Single(answers.Select(IdOf).Distinct());
            await service.SendAsync("DELETE", "/v2/messages/" + IdOf(answers[0]));
        }
    }

    [Fact]
    public async Task One_that_died_after_it_took_the_id_over_is_followed_by_the_next()
    {
        await using var service = await LiveService.StartAsync();
        var first = await SendAsync(service, "publish", "/x", s_id, s_delay);
        await service.SendAsync("DELETE", "/v2/messages/" + IdOf(first));
        var (deduplicator, heir) = (service.Get<Deduplicator>(), service.Get<MessageIds>().Next());
        var reserved = await deduplicator.ReserveAsync("d", heir);
        Assert.True(await deduplicator.TakeOverAsync("d", heir, reserved!));
        // It is the heir's now.
        Assert.False(await deduplicator.TakeOverAsync("d", service.Get<MessageIds>().Next(), reserved!));

        var next = await SendAsync(service, "publish", "/x", s_id);

        Assert.Equal((200, heir.Text), (next.Status, IdOf(next)));
        await service.RunNowAsync();
        Assert.Equal(["/x"], service.Receiver.Paths);
    }

    [Fact]
    public async Task A_message_that_was_delivered_keeps_its_id_for_the_window_however_short_the_log_is_kept()
    {
        await using var service = await LiveService.StartAsync(options: new FuncStashOptions { LogRetention = TimeSpan.FromSeconds(10) });
        // To 23:58 o'clock; the log of a day can go when the day is over.
        service.Clock.Advance(((12 * 60) - 2) * 60_000);
        var first = await SendAsync(service, "publish", "/x", s_id);
        await service.RunNowAsync();
        service.Clock.Advance(4 * 60_000);
        await service.Get<Purge>().RunAsync();

        var again = await SendAsync(service, "publish", "/x", s_id);

        Assert.Equal((202, IdOf(first)), (again.Status, IdOf(again)));
        await service.RunNowAsync();
        Assert.Equal(["/x"], service.Receiver.Paths);
    }
}
