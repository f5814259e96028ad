using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Server.Tests.Connections;

/// <summary>A client may send its end right behind its request, and still gets the answer.</summary>
public sealed class HalfClosedTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")]
    [InlineData("GET / HTTP/1.0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody")]
    [InlineData("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")]
    [InlineData("POST /\u00C3\u00BC HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody")]
    [InlineData("GET /\u00C3\u00BC HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    public async Task It_is_answered(string request)
    {
        var ended = new TaskCompletionSource();
        await using var server = await LocalServer.StartAsync(async context =>
        {
            if (context.Request.Path == "/other")
                return;
            using var body = new StreamReader(context.Request.Body);
            var text = await body.ReadToEndAsync();
            await ended.Task;
            await context.Response.WriteAsync("there you are: " + text);
        });
        using var client = await server.ConnectAsync();
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        client.Client.Shutdown(SocketShutdown.Send);
        // By the time that others have been answered, the server has seen the end.
        for (var i = 0; i < 20; i++)
            Assert.StartsWith("HTTP/1.1 200 OK", await server.SendAsync("GET /other HTTP/1.0\r\n\r\n"), StringComparison.Ordinal);
        ended.SetResult();

        using var reader = new StreamReader(stream, Encoding.Latin1);
        var answer = await reader.ReadToEndAsync().WaitAsync(s_patience, TimeProvider.System);
        Assert.StartsWith("HTTP/1.1 200 OK", answer, StringComparison.Ordinal);
        Assert.Contains(request.StartsWith("POST", StringComparison.Ordinal) ? "there you are: body" : "there you are: ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_of_a_client_that_is_gone_ends_after_a_while()
    {
        var aborted = new TaskCompletionSource();
        await using var server = await LocalServer.StartAsync(async context =>
        {
            await using var registered = context.RequestAborted.Register(aborted.SetResult);
            await aborted.Task;
        });
        using (var client = await server.ConnectAsync())
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        await aborted.Task.WaitAsync(s_patience, TimeProvider.System);
    }
}
