using System.Text.Json;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.UrlGroups;

/// <summary>URL groups and deduplication as the SDK uses them (protocol#deduplication, protocol#url-groups).</summary>
public abstract class UrlGroupTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private readonly string _group = Unique("group");

    private Task<JsonNode?> GroupAsync(string method, params object[] endpoints) => Sdk.CallAsync(
        Host, "urlGroups." + method, endpoints.Length == 0 ? _group : new { name = _group, endpoints });

    [Fact]
    public async Task A_group_lives_as_long_as_it_has_endpoints()
    {
        await GroupAsync("addEndpoints", new { name = "First endpoint", url = "https://one.example.com/" }, new { url = "https://two.example.com/" });
        await GroupAsync("addEndpoints", new { name = "First endpoint", url = "https://three.example.com/" });
        var group = (await GroupAsync("get"))!;
        Assert.Equal(
            """[{"name":"First endpoint","url":"https://three.example.com/"},{"url":"https://two.example.com/"}]""",
            JsonSerializer.Serialize(group["endpoints"]));
        Assert.Contains(_group, (await Sdk.CallAsync(Host, "urlGroups.list"))!.AsArray().Select(g => (string)g!["name"]!));

        await GroupAsync("removeEndpoints", new { url = "https://two.example.com/" });
        await GroupAsync("removeEndpoints", new { name = "First endpoint" });
        Assert.Equal(404, (await Assert.ThrowsAsync<SdkException>(() => GroupAsync("get"))).Status);
        await GroupAsync("delete");
    }

    [Fact]
    public async Task A_publish_fans_out_once_for_each_deduplication_id()
    {
        await GroupAsync("addEndpoints", new { name = "a", url = Receiver.Url("/a") }, new { url = Receiver.Url("/b") });
        var request = new { urlGroup = _group, body = new { x = 1 }, deduplicationId = _group };
        var first = (await Sdk.CallAsync(Host, "publishJSON", request))!.AsArray();
        await GroupAsync("addEndpoints", new { url = Receiver.Url("/c") });
        var second = (await Sdk.CallAsync(Host, "publishJSON", request))!.AsArray();

        Assert.Equal([Receiver.Url("/a"), Receiver.Url("/b")], first.Select(m => (string)m!["url"]!));
        Assert.Equal([true, true, false], second.Select(m => (bool?)m!["deduplicated"] ?? false));
        Assert.Equal((string)first[0]!["messageId"]!, (string)second[0]!["messageId"]!);
        foreach (var message in second)
            await Wire.StatesUntilAsync((string)message!["messageId"]!, "DELIVERED");
        Assert.Equal(["/a", "/b", "/c"], Receiver.All.Select(request => request.Path).Order());
        await GroupAsync("delete");
    }

    [Fact]
    public async Task Of_many_publishes_with_one_id_or_one_content_one_is_delivered()
    {
        var byId = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Sdk.CallAsync(
            Host, "publishJSON", new { url = Receiver.Url("/id"), body = new { i }, deduplicationId = _group })));
        var byContent = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Sdk.CallAsync(
            Host, "publishJSON", new { url = Receiver.Url("/content"), body = new { _group }, contentBasedDeduplication = true })));

        foreach (var (answers, path) in new[] { (byId, "/id"), (byContent, "/content") })
        {
            var id = Assert.Single(answers.Select(answer => (string)answer!["messageId"]!).Distinct());
            Assert.Single(answers, answer => (bool?)answer!["deduplicated"] != true);
            await Wire.StatesUntilAsync(id, "DELIVERED");
            Assert.Single(Receiver.Requests(path));
        }
    }
}

public sealed class UrlGroupsOnSqlite(SqliteHost hosts, NodeSdk sdk) : UrlGroupTests(hosts, sdk);

public sealed class UrlGroupsOnAzurite(AzuriteHost hosts, NodeSdk sdk) : UrlGroupTests(hosts, sdk);

public sealed class UrlGroupsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : UrlGroupTests(hosts, sdk);
