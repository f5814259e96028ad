using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FuncStash.Settings;
using FuncStash.Tests.Admission;

namespace FuncStash.Tests.Publishing;

/// <summary><c>POST /v2/batch</c> (protocol#batch).</summary>
public sealed class BatchTests
{
    private static Task<(int Status, JsonNode? Json)> SendAsync(LiveService service, params object[] items) =>
        service.SendAsync("POST", "/v2/batch", JsonSerializer.Serialize(items));

    [Fact]
    public async Task A_bad_item_is_reported_in_its_place_and_harms_no_other()
    {
        await using var service = await LiveService.StartAsync();
        var receiver = service.Receiver;
        await service.SendAsync("POST", "/v2/topics/g/endpoints",
            $$"""{"endpoints":[{"url":"{{receiver.Url("/g1")}}"},{"name":"two","url":"{{receiver.Url("/g2")}}"}]}""");

        var (status, json) = await service.SendAsync("POST", "/v2/batch", $$$"""
            [
              {"destination":"{{{receiver.Url("/ok")}}}","headers":{"upstash-method":"PUT","CONTENT-TYPE":"text/x"},"body":"héllo","queue":null},
              {"destination":"example.com/none"},
              {"destination":"no.such.group"},
              {"destination":"{{{receiver.Url("/bad")}}}","headers":{"Upstash-Retries":"many"}},
              {"destination":"g","body":null,"queue":""},
              {"destination":"{{{receiver.Url("/bad")}}}","queue":"a b"},
              {"destination":"{{{receiver.Url("/bad")}}}","body":5},
              {"destination":"{{{receiver.Url("/bad")}}}","body":"\ud800"},
              {"destination":"{{{receiver.Url("/bad")}}}","headers":{"Upstash-Retries":["1","x"]}},
              {"headers":{}},
              7,
              {"destination":"{{{receiver.Url("/bad")}}}","headers":{"Upstash-Forward-A":"\udc00"}},
              {"destination":"{{{receiver.Url("/list")}}}","headers":{"Upstash-Forward-A":["1","2"]}}
            ]
            """);

        Assert.Equal(200, status);
        var items = json!.AsArray();
        Assert.Equal(13, items.Count);
        Assert.StartsWith("msg_", items[0]!["messageId"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("invalid destination url: endpoint has invalid scheme, add http:// or https://", (string)items[1]!["error"]!);
        foreach (var bad in new[] { 1, 2, 3, 5, 6, 7, 8, 9, 10, 11 })
            Assert.NotEqual("", (string)items[bad]!["error"]!);
        Assert.Equal([receiver.Url("/g1"), receiver.Url("/g2")], items[4]!.AsArray().Select(m => (string)m!["url"]!));
        await service.RunNowAsync();
        Assert.Equal(["/g1", "/g2", "/list", "/ok"], receiver.Paths.Order());
        var ok = receiver.Arrivals.Single(a => a.Path == "/ok");
        Assert.Equal(("héllo", "text/x"), (ok.Body, ok.Headers["Content-Type"]));
        Assert.Equal("1,2", receiver.Arrivals.Single(a => a.Path == "/list").Headers["A"].Replace(" ", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[")]
    [InlineData("\"x\"")]
    [InlineData("")]
    public async Task What_is_no_array_is_refused(string body)
    {
        await using var service = await LiveService.StartAsync();
        Assert.Equal(400, (await service.SendAsync("POST", "/v2/batch", body)).Status);
    }

    [Fact]
    public async Task It_answers_202_only_when_nothing_in_it_is_new()
    {
        await using var service = await LiveService.StartAsync();
        object Item(string id) => new { destination = service.Receiver.Url("/x"), headers = new Dictionary<string, string> { ["Upstash-Deduplication-Id"] = id } };

        var first = await SendAsync(service, Item("a"), Item("a"));
        Assert.Equal(200, first.Status);
        var id = (string)first.Json![0]!["messageId"]!;
        Assert.Null(first.Json[0]!["deduplicated"]);
        Assert.Equal((id, true), ((string)first.Json[1]!["messageId"]!, (bool)first.Json[1]!["deduplicated"]!));

        var mixed = await SendAsync(service, Item("a"), Item("b"));
        Assert.Equal(200, mixed.Status);
        var known = await SendAsync(service, Item("b"), Item("a"));
        Assert.Equal((202, id), (known.Status, (string)known.Json![1]!["messageId"]!));
        await service.RunNowAsync();
        Assert.Equal(2, service.Receiver.Paths.Count);
    }

    [Fact]
    public async Task Items_of_one_queue_are_delivered_in_the_order_of_the_array()
    {
        await using var service = await LiveService.StartAsync();
        var items = Enumerable.Range(0, 250).Select(i => (object)new { destination = service.Receiver.Url($"/{i}"), queue = $"q{i % 2}" });
        Assert.Equal(200, (await SendAsync(service, [.. items])).Status);

        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 250);
        for (var queue = 0; queue < 2; queue++)
        {
            var order = service.Receiver.Paths.Select(p => int.Parse(p[1..], null)).Where(i => i % 2 == queue);
            Assert.Equal(Enumerable.Range(0, 125).Select(i => (2 * i) + queue), order);
        }
    }

    [Fact]
    public async Task A_thousand_plain_items_take_some_ten_commits()
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        var items = Enumerable.Range(0, 1000).Select(i => (object)new { destination = service.Receiver.Url($"/{i}"), body = $"{i}" });

        var (status, json) = await SendAsync(service, [.. items]);

        Assert.Equal((200, 1000), (status, json!.AsArray().Select(m => (string)m!["messageId"]!).Distinct().Count()));
        Assert.InRange(watched!.Commits, 10, 12);
        Assert.InRange(watched.Gets + watched.Queries, 0, 3);
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 1000);
        Assert.All(service.Receiver.Arrivals, a => Assert.Equal(a.Path[1..], a.Body));
    }

    [Fact]
    public async Task A_thousand_items_of_one_queue_share_commits_too()
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","paused":true}""");
        var before = watched!.Commits;

        await SendAsync(service, [.. Enumerable.Range(0, 1000).Select(i => (object)new { destination = service.Receiver.Url($"/{i}"), queue = "q" })]);

        Assert.InRange(watched.Commits - before, 35, 45);
        Assert.Equal(1000, (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_batch_that_is_too_big_is_refused_and_so_is_a_message_in_it()
    {
        await using var service = await LiveService.StartAsync(options: new FuncStashOptions { MaxBatchBytes = 3000, MaxBodyBytes = 1000 });
        var big = new { destination = service.Receiver.Url("/x"), body = new string('x', 1001) };
        var small = new { destination = service.Receiver.Url("/y"), body = "y" };
        var (status, json) = await SendAsync(service, big, small);
        Assert.Equal(200, status);
        Assert.NotNull(json![0]!["error"]);
        Assert.NotNull(json[1]!["messageId"]);

        Assert.Equal(413, (await SendAsync(service, big, big, big)).Status);
        Assert.Equal(100 * 1024 * 1024, new FuncStashOptions().MaxBatchBytes);
    }

    [Fact]
    public async Task Big_items_are_spread_over_commits_that_hold_them()
    {
        await using var service = await LiveService.StartAsync(wrap: store => new WatchedStore(store));
        var items = Enumerable.Range(0, 30)
            .Select(i => (object)new { destination = service.Receiver.Url($"/{i}"), body = new string((char)('a' + i % 26), 200_000 + (i * 10_000)) });
        Assert.Equal(200, (await SendAsync(service, [.. items])).Status);
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 30);
        Assert.All(service.Receiver.Arrivals, a => Assert.Equal(200_000 + (int.Parse(a.Path[1..], null) * 10_000), Encoding.UTF8.GetByteCount(a.Body)));
    }
}
