using System.Net;

namespace FuncStash.EndToEnd.Tests.Publishing;

/// <summary>A body is bytes: kept and delivered as they came (protocol#publish, protocol#sizes).</summary>
public abstract class BodyTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private const int Megabyte = 1024 * 1024;

    public static TheoryData<string, byte[]> Bodies => new()
    {
        { "text", "a plain text, ünïcode and\r\nlines\n"u8.ToArray() },
        { "json", """{ "spaces" : [ 1.0, 1e2 ] }"""u8.ToArray() },
        { "every byte", Bytes(256) },
        { "empty", [] },
        { "64 KB", Bytes(64 * 1024) },
        { "300 KB", Bytes(300 * 1024) },
        { "1 MB", Bytes(Megabyte) },
    };

    [Theory]
    [MemberData(nameof(Bodies), DisableDiscoveryEnumeration = true)]
    public async Task A_body_arrives_byte_for_byte(string name, byte[] body)
    {
        var answer = await Wire.TryPublishAsync(Receiver.Url("/hook"), body, ("Content-Type", "application/x-" + name.Replace(' ', '-')));
        Assert.Equal(HttpStatusCode.OK, answer.Status);

        var request = await Receiver.OneAsync("/hook");
        Assert.True(body.AsSpan().SequenceEqual(request.Body), $"{name}: {request.Body.Length} bytes came");
    }

    [Fact]
    public async Task The_SDK_sends_bytes_too()
    {
        await Sdk.CallAsync(Host, "publish", new { url = Receiver.Url("/hook"), body = NodeSdk.Bytes(Bytes(256)) });

        Assert.Equal(Bytes(256), (await Receiver.OneAsync("/hook")).Body);
    }

    [Fact]
    public async Task A_text_body_is_shown_as_text_and_a_binary_one_as_base64()
    {
        var text = await Wire.PublishAsync(Receiver.Url("/text"), "héllo", ("Upstash-Delay", "1h"));
        var binary = await Wire.TryPublishAsync(Receiver.Url("/binary"), Bytes(256), ("Upstash-Delay", "1h"));

        var shownText = await Wire.MessageAsync(text);
        var shownBinary = await Wire.MessageAsync((string)binary.Json["messageId"]!);

        Assert.Equal("héllo", (string?)shownText["body"]);
        Assert.Null(shownText["bodyBase64"]);
        Assert.Equal(Convert.ToBase64String(Bytes(256)), (string?)shownBinary["bodyBase64"]);
        Assert.Null(shownBinary["body"]);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused_and_leaves_nothing_behind()
    {
        var answer = await Wire.TryPublishAsync(Receiver.Url("/hook"), Bytes(Megabyte + 1));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.Status);
        Assert.NotEmpty(answer.Error);
        var next = await Wire.PublishAsync(Receiver.Url("/hook"));
        await Wire.StatesUntilAsync(next, "DELIVERED");
        Assert.Equal(next, Assert.Single(Receiver.All).MessageId);
        Assert.All(
            await Wire.EventsAsync("host=" + Receiver.Authority), entry => Assert.Equal(next, (string?)entry["messageId"]));
    }

    [Fact]
    public async Task A_chunked_body_over_the_limit_is_refused_too()
    {
        var host = new Uri(Receiver.BaseUrl);
        var chunk = "10000\r\n" + new string('x', 0x10000) + "\r\n";
        var (status, type, body) = await RawHttp.SendAsync(
            Host.Url,
            $"POST /v2/publish/{host}hook HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
            $"Authorization: Bearer {Host.Credentials.Token}\r\nTransfer-Encoding: chunked\r\n\r\n" +
            string.Concat(Enumerable.Repeat(chunk, 17)) + "0\r\n\r\n");

        Assert.Equal(413, status);
        Assert.StartsWith("application/json", type, StringComparison.Ordinal);
        Assert.Contains("\"error\"", body, StringComparison.Ordinal);
    }

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(n => (byte)(n + (n >> 8)))];
}

public sealed class BodiesOnSqlite(SqliteHost hosts, NodeSdk sdk) : BodyTests(hosts, sdk);

public sealed class BodiesOnAzurite(AzuriteHost hosts, NodeSdk sdk) : BodyTests(hosts, sdk);

public sealed class BodiesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : BodyTests(hosts, sdk);
