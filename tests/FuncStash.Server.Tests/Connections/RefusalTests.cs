using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace FuncStash.Server.Tests.Connections;

/// <summary>What Kestrel refuses before the API sees it is refused in QStash's JSON too (protocol#errors).</summary>
public sealed class RefusalTests
{
    private const string Host = "Host: localhost\r\n";

    public static TheoryData<string, int, string> Malformed => new()
    {
        { $"GET /{new string('a', 70_000)} HTTP/1.1\r\n{Host}\r\n", 414, "the request line is too long: at most 65536 bytes are allowed" },
        { $"GET /{new string('a', 600_000)} HTTP/1.1\r\n{Host}\r\n", 414, "the request line is too long: at most 65536 bytes are allowed" },
        { $"GET / HTTP/1.1\r\n{Host}X: {new string('a', 600_000)}\r\n\r\n", 431, "the headers are too big: at most 1000 with 65536 bytes in all are allowed" },
        { $"GET / HTTP/1.1\r\n{Host}{string.Concat(Enumerable.Repeat("X: 1\r\n", 1000))}\r\n", 431, "the headers are too big: at most 1000 with 65536 bytes in all are allowed" },
        { $"GET / HTTP/1.1\r\n{Host}X-File: a\0b\r\n\r\n", 400, "invalid value of X-File: control characters are not allowed" },
        { $"GET / HTTP/1.1\r\n{Host}X-File: a\rb\r\n\r\n", 400, "invalid value of X-File: control characters are not allowed" },
        { $"GET / HTTP/1.1\r\n{Host}X File: a\r\n\r\n", 400, "invalid request header" },
        { $"GET / HTTP/1.1\r\n{Host}: a\r\n\r\n", 400, "invalid request header" },
        { $"GET / HTTP/1.1\r\n{Host}X\u00FC: a\r\n\r\n", 400, "" },
        { "GET / HTTP/1.1\r\n\r\n", 400, "request is missing Host header" },
        { $"GET / HTTP/1.1\r\n{Host}{Host}\r\n", 400, "multiple Host headers" },
        { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "invalid Host header: 'a b'" },
        { $"GET /%00 HTTP/1.1\r\n{Host}\r\n", 400, "invalid request target" },
        { $"GET /\u00FC%00 HTTP/1.1\r\n{Host}\r\n", 400, "invalid request target" },
        { $"GET  HTTP/1.1\r\n{Host}\r\n", 400, "" },
        { "garbage\r\n\r\n", 400, "invalid request line" },
        { "\u00FC\u00FC \u00FC \u00FC\r\n\r\n", 400, "" },
        { "\0\0\0\0\r\n\r\n", 400, "" },
        { "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00FC\u0003\u0003" + new string('x', 500), 400, "" },
        { $"GET / HTTP/9.1\r\n{Host}\r\n", 505, "unrecognized HTTP version" },
        { $"GET / HTTP/2.0\r\n{Host}\r\n", 505, "unrecognized HTTP version" },
        { $"GET * HTTP/1.1\r\n{Host}\r\n", 405, "method not allowed" },
        { $"GET a:80 HTTP/1.1\r\n{Host}\r\n", 405, "method not allowed" },
        { $"POST / HTTP/1.1\r\n{Host}Content-Length: x\r\n\r\n", 400, "invalid content length: x" },
        { $"POST / HTTP/1.1\r\n{Host}Content-Length: 12345678901234567890\r\n\r\n", 400, "invalid content length: 12345678901234567890" },
        { $"POST / HTTP/1.1\r\n{Host}content-length: 123456789012345678901\r\n\r\n", 400, "invalid content length: 123456789012345678901" },
        { $"POST / HTTP/1.1\r\n{Host}Content-Length: 000000000000000000005\r\n\r\nhello", 400, "invalid content length: 000000000000000000005" },
        { $"POST / HTTP/1.1\r\n{Host}Content-Length: {new string('\u00FC', 2000)}\r\n\r\n", 400, "" },
        { $"POST / HTTP/1.1\r\n{Host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "" },
        { $"POST / HTTP/1.1\r\n{Host}Transfer-Encoding: gzip\r\n\r\n", 400, "" },
        { $"POST / HTTP/1.0\r\n\r\n", 400, "" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task A_malformed_request_is_answered_in_JSON(string request, int status, string error)
    {
        await using var server = await LocalServer.StartAsync(AnswerAsync);

        var answer = await server.SendAsync(request);

        AssertRefused(answer, status, error);
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task And_so_it_is_after_requests_that_were_well(string request, int status, string error)
    {
        await using var server = await LocalServer.StartAsync(AnswerAsync);

        var answer = await server.SendAsync($"GET /a HTTP/1.1\r\n{Host}\r\nPOST /\u00FC HTTP/1.1\r\n{Host}Content-Length: 3\r\n\r\nabc" + request);

        const string Well = "\r\n\r\nwell";
        var end = answer.LastIndexOf(Well, StringComparison.Ordinal) + Well.Length;
        Assert.Equal(2, answer[..end].Split("HTTP/1.1 200 OK").Length - 1);
        AssertRefused(answer[end..], status, error);
    }

    [Fact]
    public async Task A_HEAD_is_refused_without_a_body()
    {
        await using var server = await LocalServer.StartAsync(AnswerAsync);
        foreach (var request in new[] { $"HEAD /%00 HTTP/1.1\r\n{Host}\r\n", "HEAD / HTTP/1.1\r\n\r\n" })
        {
            var answer = await server.SendAsync(request);

            Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", answer, StringComparison.Ordinal);
            Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("{", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_method_that_is_not_allowed_comes_with_those_that_are()
    {
        await using var server = await LocalServer.StartAsync(AnswerAsync);

        Assert.Contains("\r\nAllow: OPTIONS\r\n", await server.SendAsync($"GET * HTTP/1.1\r\n{Host}\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HTTP_2_without_TLS_is_turned_away_in_its_own_frames()
    {
        await using var server = await LocalServer.StartAsync(AnswerAsync);

        var answer = await server.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0");

        var frames = Encoding.Latin1.GetBytes(answer);
        Assert.Equal([0, 0, 0, 4, 0, 0, 0, 0, 0], frames[..9]); // SETTINGS
        Assert.Equal((0, 7), (frames[9], frames[12])); // GOAWAY
        Assert.Equal([0, 0, 0, 13], frames[22..26]); // HTTP_1_1_REQUIRED
        Assert.Equal(frames.Length - 18, (frames[10] << 8) + frames[11]);
        Assert.Equal("HTTP/2 is not available here without TLS: use HTTP/1.1", (string?)JsonNode.Parse(frames.AsSpan(26))!["error"]);
    }

    [Fact]
    public async Task Headers_that_never_end_are_408()
    {
        await using var server = await LocalServer.StartAsync(AnswerAsync, limits => limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1));

        AssertRefused(await server.SendAsync($"GET / HTTP/1.1\r\n{Host}X-"), 408, "the request took too long to arrive");
        AssertRefused(await server.SendAsync("GET /\u00FC"), 408, "the request took too long to arrive");
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_closed_without_a_word()
    {
        await using var server = await LocalServer.StartAsync(AnswerAsync, limits => limits.KeepAliveTimeout = TimeSpan.FromSeconds(1));

        Assert.Equal("", await server.SendAsync(""));
        // A request that was read again leaves no time limit of its own behind.
        var answer = await server.SendAsync($"GET /\u00FC HTTP/1.1\r\n{Host}\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nwell", answer, StringComparison.Ordinal);
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        await context.Request.Body.CopyToAsync(Stream.Null);
        context.Response.ContentLength = 4;
        await context.Response.WriteAsync("well");
    }

    private static void AssertRefused(string answer, int status, string error)
    {
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        var (head, body) = (answer[..answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)], answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        Assert.Contains("\r\nContent-Type: application/json\r\n", head, StringComparison.Ordinal);
        Assert.Contains($"\r\nContent-Length: {body.Length}\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close", head, StringComparison.Ordinal);
        var text = (string)JsonNode.Parse(body)!.AsObject().Single().Value!;
        Assert.Equal("error", JsonNode.Parse(body)!.AsObject().Single().Key);
        if (error.Length > 0)
            Assert.Equal(error, text);
        Assert.NotEmpty(text);
    }
}
