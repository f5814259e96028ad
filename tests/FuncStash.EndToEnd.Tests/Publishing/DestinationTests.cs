using System.Text.RegularExpressions;

namespace FuncStash.EndToEnd.Tests.Publishing;

/// <summary>The destination is the rest of the request target, as SDKs and browsers write it (protocol#destinations-in-paths).</summary>
public abstract partial class DestinationTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Theory]
    [InlineData("/hook")]
    [InlineData("/hook?x=1&y=2")]
    [InlineData("/hook?b=2&a=1&b=3&empty=&bare&enc=%2F%20%3d+z")]
    [InlineData("/hook?to=https://other.example/a?b=c")]
    [InlineData("/hook/?x")]
    [InlineData("/a%20b/%2F/%e2%82%AC;v=1/c,d/~e!$'()*@:f")]
    [InlineData("/twice%2520encoded?q=%2525")]
    [InlineData("/double//slash///end/")]
    [InlineData("/pause")]
    [InlineData("/v2/publish/https://inner.example/x")]
    public async Task A_raw_URL_in_the_path_is_delivered_as_written(string target)
    {
        var id = await Wire.PublishAsync(Receiver.Url(target));
        var shown = await Wire.MessageAsync(id);

        await Receiver.WaitUntilAsync(() => Receiver.All.Count > 0);
        var expected = Hosts.HasFrontEnd ? WithUpperCaseEscapes(target) : target;
        Assert.Equal(expected, Assert.Single(Receiver.All).Target);
        Assert.Equal(Receiver.Url(expected), (string?)shown["url"]);
    }

    // The same path by RFC 3986 §6.2.2.1; the query is not touched.
    private static string WithUpperCaseEscapes(string target) => EscapeInPath().Replace(target, escape => escape.Value.ToUpperInvariant());

    [GeneratedRegex(@"(?<!\?.*)%[0-9a-fA-F]{2}")]
    private static partial Regex EscapeInPath();

    [Fact]
    public async Task A_URL_without_a_path_is_shown_without_one()
    {
        var id = await Wire.PublishAsync(Receiver.BaseUrl);

        Assert.Equal(Receiver.BaseUrl, (string?)(await Wire.MessageAsync(id))["url"]);
        await Receiver.WaitForAsync("/");
    }

    [Fact]
    public async Task A_collapsed_double_slash_is_repaired()
    {
        var id = await Wire.PublishAsync($"http:/{Receiver.Authority}/hook?x=1");

        Assert.Equal("/hook?x=1", (await Receiver.OneAsync("/hook")).Target);
        Assert.Equal(Receiver.Url("/hook?x=1"), (string?)(await Wire.MessageAsync(id))["url"]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_URL_that_was_percent_encoded_is_decoded_as_often_and_no_more(int times)
    {
        var url = Receiver.Url("/a%20b?x=%26&y=2");
        var encoded = Enumerable.Range(0, times).Aggregate(url, (text, _) => Uri.EscapeDataString(text));
        var id = await Wire.PublishAsync(encoded);

        Assert.Equal(url, (string?)(await Wire.MessageAsync(id))["url"]);
        await Receiver.WaitUntilAsync(() => Receiver.All.Count > 0);
        Assert.Equal("/a%20b?x=%26&y=2", Assert.Single(Receiver.All).Target);
    }

    [Fact]
    public async Task The_SDK_publishes_to_a_URL_with_a_query()
    {
        await Sdk.CallAsync(Host, "publish", new { url = Receiver.Url("/hook?asdasd=ooo&list=a,b"), body = "x" });

        Assert.Equal("/hook?asdasd=ooo&list=a,b", (await Receiver.OneAsync("/hook")).Target);
    }

    [Theory]
    [InlineData("/V2/Publish/")]
    [InlineData("/v2/publish/")]
    public async Task The_fixed_part_of_the_path_may_be_in_any_case(string prefix)
    {
        var answer = await Wire.SendAsync(HttpMethod.Post, prefix + Receiver.Url("/Hook"), []);

        Assert.True((int)answer.Status == 200, answer.ToString());
        await Receiver.WaitForAsync("/Hook");
    }
}

public sealed class DestinationsOnSqlite(SqliteHost hosts, NodeSdk sdk) : DestinationTests(hosts, sdk);

public sealed class DestinationsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : DestinationTests(hosts, sdk);
