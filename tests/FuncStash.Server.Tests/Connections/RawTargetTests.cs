using System.Globalization;
using System.Text;
using CsCheck;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Server.Tests.Connections;

/// <summary>A request target in raw UTF-8 is read as if it were percent-encoded, wherever on a connection; bodies are left alone.</summary>
public sealed class RawTargetTests
{
    private sealed record Sent(string Target, string Body, bool Chunked, int? Size)
    {
        public string Bytes => $"POST {Target} HTTP/1.1\r\nHost: localhost\r\nX-Name: J\u00F6rg\r\n" + (Chunked
            ? $"Transfer-Encoding: chunked\r\n\r\n{Chunks()}0\r\n\r\n"
            : $"Content-Length: {Body.Length}\r\n\r\n{Body}");

        public string Escaped => string.Concat(Target.Select(c => c < 0x80 ? $"{c}" : $"%{(int)c:X2}"));

        private string Chunks() => string.Concat(Body.Chunk(Size ?? 7).Select(part =>
            string.Create(CultureInfo.InvariantCulture, $"{part.Length:x}\r\n{new string(part)}\r\n")));
    }

    // Bytes as Latin-1, some of which look like a request of their own.
    private static readonly Gen<string> s_body = Gen.OneOf(
        Gen.Const(""),
        Gen.Const("POST /\u00C3\u00BC HTTP/1.1\r\nHost: evil\r\n\r\n"),
        Gen.Const("\r\n\r\nGET /\u00FC HTTP/1.1\r\n\r\n"),
        Gen.String[Gen.Char['\0', '\u00FF'], 0, 300],
        Gen.Int[1, 3].Select(n => new string('\u00FC', n * 9000)));

    private static readonly Gen<string> s_target =
        Gen.String[Gen.OneOf(Gen.Char["abc/?&=%25.-"], Gen.Char['\u0080', '\u00FF']), 0, 40].Select(rest =>
            "/" + rest.Replace("%", "%25", StringComparison.Ordinal));

    private static readonly Gen<Sent> s_request =
        from target in s_target
        from body in s_body
        from chunked in Gen.Bool
        from size in Gen.Int[1, 5000]
        select new Sent(target, body, chunked, size);

    private static Task<LocalServer> EchoAsync() => LocalServer.StartAsync(async context =>
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var text = $"[{target} {context.Request.Headers["X-Name"]} {Encoding.Latin1.GetString(body.ToArray())}]";
        var bytes = Encoding.Latin1.GetBytes(text);
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes);
    });

    [Fact]
    public async Task Requests_one_after_the_other_on_a_connection_arrive_as_they_were_sent()
    {
        await using var server = await EchoAsync();
        var plays = Gen.Select(s_request.Array[1, 6], Gen.Int[1, 9000].Array[0, 8]);
        await plays.SampleAsync(async (requests, cuts) =>
        {
            var bytes = string.Concat(requests.Select(request => request.Bytes))
                + "GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

            var answer = await server.SendAsync(Pieces(bytes, cuts));

            var echoes = string.Concat(Bodies(answer));
            Assert.Equal(string.Concat(requests.Select(request => $"[{request.Escaped} J\u00F6rg {request.Body}]")) + "[/last  ]", echoes);
        }, iter: 150, threads: 1);
    }

    [Fact]
    public async Task A_request_that_comes_byte_by_byte_is_read_too()
    {
        await using var server = await EchoAsync();

        var answer = await server.SendAsync(
            "\r\n\r\nGET /gr\u00C3\u00B6\u00C3\u009Fe?q=\u00FC HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".Select(c => $"{c}"));

        Assert.Equal(["[/gr%C3%B6%C3%9Fe?q=%FC  ]"], Bodies(answer));
    }

    [Fact]
    public async Task A_target_that_is_too_long_once_it_is_escaped_is_refused_as_such()
    {
        await using var server = await EchoAsync();

        var answer = await server.SendAsync($"GET /{new string('\u00FC', 30_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 414 ", answer, StringComparison.Ordinal);
        Assert.Contains("{\"error\":\"the request line is too long", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_target_followed_by_much_more_is_read()
    {
        await using var server = await EchoAsync();
        var target = "/" + new string('\u00FC', 20_000);
        var requests = new Sent(target, new string('x', 200_000), false, null);

        var answer = await server.SendAsync(requests.Bytes + "GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        Assert.Equal([$"[{requests.Escaped} J\u00F6rg {requests.Body}]", "[/last  ]"], Bodies(answer));
    }

    private static IEnumerable<string> Pieces(string bytes, int[] cuts)
    {
        foreach (var cut in cuts)
        {
            var length = Math.Min(cut, bytes.Length);
            yield return bytes[..length];
            bytes = bytes[length..];
        }
        yield return bytes;
    }

    private static List<string> Bodies(string answers)
    {
        const string Length = "Content-Length: ";
        var bodies = new List<string>();
        while (answers.Length > 0)
        {
            Assert.StartsWith("HTTP/1.1 200 ", answers, StringComparison.Ordinal);
            var length = answers.AsSpan(answers.IndexOf(Length, StringComparison.Ordinal) + Length.Length);
            var count = int.Parse(length[..length.IndexOf('\r')], CultureInfo.InvariantCulture);
            var start = answers.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            bodies.Add(answers.Substring(start, count));
            answers = answers[(start + count)..];
        }
        return bodies;
    }
}
