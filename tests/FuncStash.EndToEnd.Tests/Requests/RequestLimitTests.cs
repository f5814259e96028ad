using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Requests;

/// <summary>How much a request's line and headers may hold, alone and in a batch (docs/operations.md, Limits of a request).</summary>
public abstract class RequestLimitTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Theory]
    [InlineData(150, 10)]
    [InlineData(40, 1000)]
    public async Task Many_and_long_headers_are_delivered(int count, int length)
    {
        var headers = Enumerable.Range(0, count).Select(i => (Name: $"Upstash-Forward-X-{i}", Value: $"{i}".PadLeft(length, 'v'))).ToList();

        // The Functions host lets fewer through.
        if (!Hosts.HasFrontEnd)
            await Wire.PublishAsync(Receiver.Url("/alone"), "", [.. headers]);
        await BatchAsync(Receiver.Url("/batch"), new JsonObject(headers.Select(h => KeyValuePair.Create(h.Name, (JsonNode?)h.Value))));

        foreach (var path in Hosts.HasFrontEnd ? ["/batch"] : new[] { "/alone", "/batch" })
        {
            var received = await Receiver.OneAsync(path);
            for (var i = 0; i < count; i++)
                Assert.Equal(headers[i].Value, received.Header($"x-{i}"));
        }
    }

    [Theory]
    [InlineData(7_000)]
    [InlineData(9_000)]
    [InlineData(15_900)]
    public async Task A_long_URL_is_delivered(int length)
    {
        var path = "/" + new string('p', length - Receiver.BaseUrl.Length - 1);

        // The Functions host reads request lines of 8 KiB.
        if (!Hosts.HasFrontEnd || length < 8_000)
            await Wire.PublishAsync(Receiver.Url(path));
        await BatchAsync(Receiver.Url(path));

        await Receiver.WaitForAsync(path, Hosts.HasFrontEnd && length >= 8_000 ? 1 : 2);
    }

    [Fact]
    public async Task A_URL_that_is_too_long_is_refused_the_same_way_alone_and_in_a_batch()
    {
        const string Error = "invalid destination url: it is longer than 16000 characters";
        var url = Receiver.Url("/" + new string('p', 17_000));

        if (!Hosts.HasFrontEnd)
        {
            var alone = await Wire.TryPublishAsync(url, []);
            Assert.Equal((HttpStatusCode.BadRequest, Error), (alone.Status, alone.Error));
        }
        var answer = await Wire.SendAsync(HttpMethod.Post, "/v2/batch", Encoding.UTF8.GetBytes($$"""[{"destination":"{{url}}"}]"""));
        Assert.Equal(Error, (string?)answer.Json[0]!["error"]);
        Assert.Empty(Receiver.All);
    }

    [Fact]
    public async Task Far_more_is_refused()
    {
        var line = await Wire.TryPublishAsync(Receiver.Url("/" + new string('p', 70_000)), []);
        var size = await Wire.TryPublishAsync(Receiver.Url("/hook"), [], ("Upstash-Forward-X", new string('v', 70_000)));
        var count = await Wire.TryPublishAsync(
            Receiver.Url("/hook"), [], [.. Enumerable.Range(0, 1_100).Select(i => ($"Upstash-Forward-X-{i}", "v"))]);

        Assert.Equal(
            (HttpStatusCode.RequestUriTooLong, HttpStatusCode.RequestHeaderFieldsTooLarge, HttpStatusCode.RequestHeaderFieldsTooLarge),
            (line.Status, size.Status, count.Status));
        // The Functions host refuses before the app sees anything, and in no words.
        if (!Hosts.HasFrontEnd)
        {
            Assert.Equal("the request line is too long: at most 65536 bytes are allowed", line.Error);
            Assert.Equal("the headers are too big: at most 1000 with 65536 bytes in all are allowed", size.Error);
            Assert.Equal(size.Error, count.Error);
        }
        Assert.Empty(Receiver.All);
    }

    private async Task BatchAsync(string url, JsonObject? headers = null)
    {
        var body = new JsonArray(new JsonObject { ["destination"] = url, ["headers"] = headers });
        var answer = await Wire.SendAsync(HttpMethod.Post, "/v2/batch", Encoding.UTF8.GetBytes(body.ToJsonString()));
        Assert.NotNull(answer.Json[0]!["messageId"]);
    }
}

public sealed class RequestLimitsOnSqlite(SqliteHost hosts, NodeSdk sdk) : RequestLimitTests(hosts, sdk);

public sealed class RequestLimitsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : RequestLimitTests(hosts, sdk);
