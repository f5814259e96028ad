using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Requests;

/// <summary>Values of headers reach the destination byte for byte, in whatever encoding (protocol#headers, RFC 9110 §5.5).</summary>
public abstract class HeaderBytesTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private const string Name = "Größe.pdf";

    [Theory]
    [InlineData("utf-8")]
    [InlineData("iso-8859-1")]
    public async Task A_webhooks_header_is_passed_on_as_it_came(string encoding)
    {
        var bytes = Encoding.GetEncoding(encoding).GetBytes(Name);
        var value = Encoding.Latin1.GetString(bytes);

        var all = await SendAsync("/all?upstash-header-forward=true", $"X-File: {value}\r\n");
        var one = await SendAsync("/one", $"Upstash-Forward-X-File: {value}\r\n");

        if (Hosts.HasFrontEnd)
        {
            // Its host hands no such header on to the app: a batch or the query can.
            Assert.True(all.Status >= 400 && one.Status >= 400, $"{all} {one}");
            return;
        }
        Assert.True((all.Status, one.Status) == (200, 200), $"{all} {one}");
        foreach (var path in new[] { "/all", "/one" })
        {
            var received = await Receiver.OneAsync(path);
            Assert.Equal(bytes, Encoding.Latin1.GetBytes(received.Header("x-file")!));
            Assert.Equal(Name, (string?)(await Wire.MessageAsync(received.MessageId))["header"]!["X-File"]![0]);
        }
    }

    [Fact]
    public async Task A_batch_and_a_query_send_UTF_8()
    {
        var body = new JsonArray(new JsonObject
        {
            ["destination"] = Receiver.Url("/batch"),
            ["headers"] = new JsonObject
            {
                ["Upstash-Forward-X-File"] = Name, ["Upstash-Callback"] = Receiver.Url("/back"), ["Upstash-Callback-Forward-X-File"] = Name,
            },
        });
        await Wire.SendAsync(HttpMethod.Post, "/v2/batch", Encoding.UTF8.GetBytes(body.ToJsonString()));
        await Wire.PublishAsync(Receiver.Url("/query?upstash-forward-x-file=") + Uri.EscapeDataString(Name));

        foreach (var path in new[] { "/batch", "/back", "/query" })
            Assert.Equal(Encoding.UTF8.GetBytes(Name), Encoding.Latin1.GetBytes((await Receiver.OneAsync(path)).Header("x-file")!));
        Assert.Equal(Name, (string?)(await Receiver.OneAsync("/back")).Json["sourceHeader"]!["X-File"]![0]);
    }

    private Task<(int Status, string? ContentType, string Body)> SendAsync(string path, string header) => RawHttp.SendAsync(
        Host.Url,
        $"POST /v2/publish/{Receiver.Url(path)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        + $"Authorization: Bearer {Host.Credentials.Token}\r\n{header}Content-Length: 0\r\n\r\n");
}

public sealed class HeaderBytesOnSqlite(SqliteHost hosts, NodeSdk sdk) : HeaderBytesTests(hosts, sdk);

public sealed class HeaderBytesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : HeaderBytesTests(hosts, sdk);
