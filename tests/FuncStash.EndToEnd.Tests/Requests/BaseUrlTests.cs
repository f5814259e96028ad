using System.Net;

namespace FuncStash.EndToEnd.Tests.Requests;

/// <summary>A <c>QSTASH_URL</c> that is not quite right (protocol#base-and-routing).</summary>
public abstract class BaseUrlTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Theory]
    [InlineData("/")]
    [InlineData("//")]
    public async Task One_that_ends_in_slashes_works(string more)
    {
        var answer = await Wire.SendAsync(HttpMethod.Post, $"{more}/v2/publish/{Receiver.Url("//a//b?c=//d")}", []);

        // The Functions host itself has no route for it.
        if (Hosts.HasFrontEnd)
        {
            Assert.Equal(HttpStatusCode.NotFound, answer.Status);
            return;
        }
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        Assert.Equal("//a//b?c=//d", (await Receiver.OneAsync("//a//b")).Target);
    }

    [Theory]
    [InlineData("/qstash")]
    [InlineData("/a/b")]
    [InlineData("/v2")]
    public async Task One_with_a_path_is_told_what_it_must_be(string prefix)
    {
        var answer = await Wire.SendAsync(HttpMethod.Post, $"{prefix}/v2/publish/{Receiver.Url("/hook")}", []);

        Assert.Equal(HttpStatusCode.NotFound, answer.Status);
        Assert.EndsWith(
            $"QSTASH_URL must be the server's address without a path, such as {Host.Url.GetLeftPart(UriPartial.Authority)}",
            answer.Error, StringComparison.Ordinal);
        Assert.Empty(Receiver.All);
    }
}

public sealed class BaseUrlsOnSqlite(SqliteHost hosts, NodeSdk sdk) : BaseUrlTests(hosts, sdk);

public sealed class BaseUrlsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : BaseUrlTests(hosts, sdk);
