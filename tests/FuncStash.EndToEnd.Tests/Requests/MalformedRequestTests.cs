using System.Text;

namespace FuncStash.EndToEnd.Tests.Requests;

/// <summary>Whatever is refused is refused in JSON, whoever refuses it, and a name that cannot be is no failure of the service (protocol#errors).</summary>
public abstract class MalformedRequestTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private const string Line = "GET /v2/queues HTTP/1.1\r\n", HostHeader = "Host: localhost\r\n", Close = "Connection: close\r\n";

    /// <summary>What the HTTP server refuses before the service sees it.</summary>
    public static TheoryData<string, int> BeforeTheService => new()
    {
        { $"{Line}{HostHeader}X-File: a\0b\r\n\r\n", 400 },
        { $"{Line}{HostHeader}X-File: a\rb\r\n\r\n", 400 },
        { $"{Line}{HostHeader}X File: a\r\n\r\n", 400 },
        { $"{Line}{Close}\r\n", 400 },
        { $"{Line}{HostHeader}{HostHeader}\r\n", 400 },
        { $"{Line}Host: a b\r\n\r\n", 400 },
        { $"GET /v2/schedules/a%00b HTTP/1.1\r\n{HostHeader}\r\n", 400 },
        { $"POST /v2/publish/http://127.0.0.1:9/a%00b HTTP/1.1\r\n{HostHeader}Content-Length: 0\r\n\r\n", 400 },
        { $"POST /v2/queues HTTP/1.1\r\n{HostHeader}Content-Length: x\r\n\r\n", 400 },
        { $"POST /v2/queues HTTP/1.1\r\n{HostHeader}Transfer-Encoding: gzip\r\n\r\n", 400 },
        { $"GET /v2/queues HTTP/9.1\r\n{HostHeader}\r\n", 505 },
        { $"GET * HTTP/1.1\r\n{HostHeader}\r\n", 405 },
        { "garbage\r\n\r\n", 400 },
    };

    [Theory]
    [MemberData(nameof(BeforeTheService))]
    public async Task What_the_HTTP_server_refuses_is_refused_in_JSON(string request, int status)
    {
        var answer = await RawHttp.SendAsync(Host.Url, request);

        Assert.Equal(status, answer.Status);
        // The Functions host refuses them itself, with the same status and in no words.
        if (!Hosts.HasFrontEnd)
            AssertJson(answer);
    }

    [Theory]
    [InlineData("zz")]
    [InlineData("80000000")]
    [InlineData("FFFFFFFFFFFFFFFF")]
    public async Task A_body_in_bad_chunks_is_400(string size)
    {
        var answer = await RawHttp.SendAsync(
            Host.Url, $"POST /v2/queues HTTP/1.1\r\n{HostHeader}{Token}{Close}Transfer-Encoding: chunked\r\n\r\n{size}\r\n");

        Assert.True(answer.Status == 400 || (Hosts.HasFrontEnd && answer.Status is 500 or 502), $"{answer}");
        if (!Hosts.HasFrontEnd)
        {
            AssertJson(answer);
            Assert.Equal("""{"error":"bad chunk size data"}""", answer.Body);
        }
    }

    [Theory]
    [InlineData("gzip, chunked")]
    [InlineData("chunked, chunked")]
    public async Task A_body_in_a_coding_that_nobody_takes_off_is_501(string coding)
    {
        var answer = await RawHttp.SendAsync(
            Host.Url, $"POST /v2/publish/{Receiver.Url("/x")} HTTP/1.1\r\n{HostHeader}{Token}{Close}Transfer-Encoding: {coding}\r\n\r\n1\r\nx\r\n0\r\n\r\n");

        // The Functions host takes the codings for its own, and passes the body on.
        Assert.Equal(Hosts.HasFrontEnd ? 200 : 501, answer.Status);
        if (!Hosts.HasFrontEnd)
            AssertJson(answer);
    }

    [Fact]
    public async Task A_target_in_raw_UTF_8_is_as_good_as_a_percent_encoded_one()
    {
        var target = $"/v2/publish/{Receiver.Url("/größe/寸?q=ü")}";

        var answer = await RawHttp.SendAsync(
            Host.Url,
            $"POST {Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(target))} HTTP/1.1\r\n{HostHeader}{Token}{Close}Content-Length: 3\r\n\r\n\u00FFab");

        if (Hosts.HasFrontEnd)
        {
            Assert.Equal(400, answer.Status);
            return;
        }
        Assert.True(answer.Status == 200, $"{answer}");
        var received = await Receiver.OneAsync("/gr%C3%B6%C3%9Fe/%E5%AF%B8");
        Assert.Equal("/gr%C3%B6%C3%9Fe/%E5%AF%B8?q=%C3%BC", received.Target);
        Assert.Equal([0xFF, (byte)'a', (byte)'b'], received.Body);
    }

    [Theory]
    [InlineData("a%2Fb")]
    [InlineData("a%5Cb")]
    [InlineData("a%23b")]
    [InlineData("a%3Fb")]
    [InlineData("a%25b")]
    [InlineData("a%0Ab")]
    [InlineData("a%7Fb")]
    [InlineData("%C2%85")]
    [InlineData("%FF")]
    public async Task A_name_that_cannot_be_is_404_or_400_everywhere(string name)
    {
        foreach (var (method, target) in new[]
        {
            ("GET", "/v2/schedules/{0}"), ("DELETE", "/v2/schedules/{0}"), ("PATCH", "/v2/schedules/{0}/pause"), ("POST", "/v2/schedules/{0}/resume"),
            ("GET", "/v2/queues/{0}"), ("DELETE", "/v2/queues/{0}"), ("POST", "/v2/queues/{0}/pause"), ("POST", "/v2/enqueue/{0}/http://127.0.0.1:9/"),
            ("GET", "/v2/topics/{0}"), ("DELETE", "/v2/topics/{0}"), ("POST", "/v2/publish/{0}"),
            ("GET", "/v2/flowControl/{0}"), ("POST", "/v2/flowControl/{0}/pause"),
            ("GET", "/v2/messages/{0}"), ("DELETE", "/v2/messages/{0}"), ("GET", "/v2/dlq/{0}"), ("DELETE", "/v2/dlq/{0}"), ("POST", "/v2/dlq/retry/{0}"),
            ("GET", "/v2/events?cursor={0}"), ("GET", "/v2/dlq?cursor={0}"),
        })
        {
            var answer = await Wire.SendAsync(
                new HttpMethod(method), target.Replace("{0}", name, StringComparison.Ordinal), method is "POST" or "PATCH" ? [] : null);

            Assert.True((int)answer.Status is 400 or 404, $"{method} {target}: {answer}");
            Assert.NotEmpty(answer.Error);
        }
    }

    [Fact]
    public async Task A_HEAD_is_answered_as_its_GET_and_a_405_tells_what_is_allowed()
    {
        var head = await Wire.SendAsync(HttpMethod.Head, "/v2/queues");
        var other = await Wire.SendAsync(HttpMethod.Put, "/v2/queues", []);

        Assert.Equal((200, "application/json", ""), ((int)head.Status, head.ContentType, head.Text));
        Assert.Equal(405, (int)other.Status);
        Assert.NotEmpty(other.Error);
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/nothing")]
    [InlineData("POST", "/v1/publish/http://127.0.0.1:9/")]
    [InlineData("GET", "/v2")]
    public async Task A_path_that_nobody_has_is_404_in_JSON(string method, string target)
    {
        var answer = await Wire.SendAsync(new HttpMethod(method), target, method == "POST" ? [] : null);

        Assert.Equal(404, (int)answer.Status);
        Assert.Equal($"no such route: {method} {target}", answer.Error);
    }

    private string Token => $"Authorization: Bearer {Host.Credentials.Token}\r\n";

    private static void AssertJson((int Status, string? ContentType, string Body) answer)
    {
        Assert.StartsWith("application/json", answer.ContentType, StringComparison.Ordinal);
        Assert.StartsWith("{\"error\":\"", answer.Body, StringComparison.Ordinal);
    }
}

public sealed class MalformedRequestsOnSqlite(SqliteHost hosts, NodeSdk sdk) : MalformedRequestTests(hosts, sdk);

public sealed class MalformedRequestsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : MalformedRequestTests(hosts, sdk);
