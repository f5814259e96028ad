using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using FuncStash.Messages;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Testing;

/// <summary>
/// Batches of messages whose parts are of any size, with answers of any size: each item is accepted or refused in words, and
/// whatever is accepted comes to an end that the log tells of; for every store.
/// </summary>
internal static class RandomSizes
{
    /// <summary>A message: what is published, and what its destination answers.</summary>
    internal sealed record Item(
        int Body, int Headers, int HeaderBytes, string Text, int Url, int Callback, int Status, int AnswerBody, int AnswerHeaders, int Days);

    // Around each limit, and far from them; base64 and escapes make things longer.
    private static readonly Gen<Item> s_item = Gen.Select(
        Gen.OneOf(Gen.OneOf(0, 256 * 1024, (256 * 1024) + 1, 1024 * 1024, (1024 * 1024) + 1), Gen.Int[0, 1_100_000]),
        Gen.OneOf(0, 1, 40, 300, 2_500),
        Gen.OneOf(Gen.OneOf(0, 29_000, 64_000, 800_000), Gen.Int[0, 70_000]),
        Gen.OneOf("x", "\"", "+", "é", "\u0085", "\t"),
        Gen.OneOf(30, 300, 15_000, 17_000),
        Gen.OneOf(-1, 0, 10_000, 50_000),
        Gen.OneOf(200, 500),
        Gen.Select(
            Gen.OneOf(Gen.OneOf(0, 256 * 1024, (256 * 1024) + 1, 1024 * 1024, 1_100_000), Gen.Int[0, 1_200_000]),
            Gen.OneOf(0, 1_000, 30_000, 60_000), Gen.OneOf(0, 0, 1)),
        static (body, headers, bytes, text, url, callback, status, rest) =>
            new Item(body, headers, bytes, text, url, callback, status, rest.Item1, rest.Item2, rest.Item3));

    public static readonly Gen<Item[]> Batch = s_item.Array[1, 5];

    public static async Task PlayAsync(TestService service, Item[] items)
    {
        await using var destination = await StandIn.StartAsync(AnswerAsync);
        var published = await service.CallAsync("POST", "/v2/batch", JsonSerializer.Serialize(items.Select(item => Json(destination, item))));
        Assert.True(published.Status == 200, published.Text);
        var answers = published.Json.AsArray();
        Assert.Equal(items.Length, answers.Count);
        var accepted = new List<string>();
        foreach (var (item, answer) in items.Zip(answers))
        {
            if ((string?)answer!["messageId"] is { } id)
                accepted.Add(id);
            else
                Assert.InRange(((string)answer["error"]!).Length, 10, 1_000);
            if (IsPlain(item))
                Assert.NotNull((string?)answer["messageId"]);
        }
        if (items.Any(item => item.Days > 0))
            service.Time.Advance(TimeSpan.FromDays(1));
        await service.DeliverDueAsync();

        foreach (var id in accepted)
        {
            Assert.True(await service.Get<MessageStore>().LookAsync(MessageId.Parse(id)) is { Ended: true }, id);
            var log = await ListAsync(service, $"/v2/events?messageIds={id}", "events");
            Assert.Contains((string?)log[0]["state"], new[] { "DELIVERED", "FAILED" });
        }
        foreach (var letter in await ListAsync(service, "/v2/dlq", "messages"))
        {
            Assert.Equal(200, (await service.CallAsync("GET", $"/v2/dlq/{letter["dlqId"]}")).Status);
            Assert.Equal(200, (await service.CallAsync("DELETE", $"/v2/dlq/{letter["dlqId"]}")).Status);
        }
    }

    // What nobody has a reason to refuse.
    private static bool IsPlain(Item item) => item is { Body: <= 256 * 1024, Headers: <= 300, HeaderBytes: <= 29_000, Url: < 16_000, Callback: <= 10_000 }
        && item.Text is "x" or "+" or "\"";

    private static object Json(StandIn destination, Item item)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Upstash-Retries"] = "0" };
        for (var i = 0; i < item.Headers; i++)
            headers[$"Upstash-Forward-X-{i}"] = Repeat(item.Text, item.HeaderBytes / item.Headers);
        if (item.Callback >= 0)
        {
            headers["Upstash-Callback"] = destination.Url + "/done";
            headers["Upstash-Failure-Callback"] = destination.Url + "/failed";
            headers["Upstash-Callback-Forward-X-Note"] = Repeat(item.Text, item.Callback);
        }
        var query = string.Create(CultureInfo.InvariantCulture, $"/hook?status={item.Status}&body={item.AnswerBody}&headers={item.AnswerHeaders}&");
        return new
        {
            destination = (destination.Url + query).PadRight(item.Url, 'u'),
            headers,
            body = new string('b', item.Body),
        };
    }

    // In UTF-8, as a batch's texts are sent on.
    private static string Repeat(string text, int bytes) =>
        string.Concat(Enumerable.Repeat(text, bytes / System.Text.Encoding.UTF8.GetByteCount(text)));

    private static async Task<List<JsonNode>> ListAsync(TestService service, string target, string name)
    {
        var (all, cursor) = (new List<JsonNode>(), "");
        while (true)
        {
            var page = await service.CallAsync("GET", target + cursor);
            Assert.True(page.Status == 200, page.Text);
            all.AddRange(page.Json[name]!.AsArray().Select(entry => entry!));
            if ((string?)page.Json["cursor"] is not { } next)
                return all;
            cursor = (target.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "cursor=" + next;
        }
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        await context.Request.Body.CopyToAsync(Stream.Null);
        var query = context.Request.Query;
        context.Response.StatusCode = int.TryParse(query["status"], CultureInfo.InvariantCulture, out var status) ? status : 200;
        var headers = int.TryParse(query["headers"], CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;
        for (var i = 0; i < headers / 1000; i++)
            context.Response.Headers[$"X-Answer-{i}"] = new string('é', 980);
        var body = int.TryParse(query["body"], CultureInfo.InvariantCulture, out var length) ? length : 0;
        await context.Response.Body.WriteAsync(new byte[body]);
    }
}
