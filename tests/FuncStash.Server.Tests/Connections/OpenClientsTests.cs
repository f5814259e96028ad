using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Server.Tests.Connections;

/// <summary>As many connections of clients as there may be: who has to go, and who has to wait.</summary>
public sealed class OpenClientsTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task For_a_new_client_the_one_that_has_been_idle_for_longest_is_closed()
    {
        await using var server = await LocalServer.StartAsync(context => context.Response.WriteAsync("well"), mostClients: 3);
        using var first = await server.ConnectAsync();
        using var second = await server.ConnectAsync();
        await AnswerAsync(second);
        using var third = await server.ConnectAsync();
        await AnswerAsync(third);
        await AnswerAsync(first);

        using var fourth = await server.ConnectAsync();
        await AnswerAsync(fourth);

        Assert.Equal("", await RestAsync(second));
        await AnswerAsync(first);
        await AnswerAsync(third);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET / HTTP/1.1\r\nHost:")]
    public async Task A_client_that_does_not_get_on_with_its_request_is_idle(string sent)
    {
        await using var server = await LocalServer.StartAsync(context => context.Response.WriteAsync("well"), mostClients: 2);
        using var first = await server.ConnectAsync();
        await first.GetStream().WriteAsync(Encoding.ASCII.GetBytes(sent));
        using var second = await server.ConnectAsync();
        await AnswerAsync(second);

        using var third = await server.ConnectAsync();
        await AnswerAsync(third);

        Assert.Equal("", await RestAsync(first));
        await AnswerAsync(second);
    }

    [Fact]
    public async Task Many_clients_with_half_a_request_hold_up_others_for_moments_only()
    {
        const int Most = 40, Half = 140;
        await using var server = await LocalServer.StartAsync(context => context.Response.WriteAsync("well"), mostClients: Most);
        var halves = new List<TcpClient>();
        try
        {
            for (var i = 0; i < Half; i++)
            {
                halves.Add(await server.ConnectAsync());
                await halves[^1].GetStream().WriteAsync("GET / HTTP/1.1\r\nHost:"u8.ToArray());
            }
            var began = System.Diagnostics.Stopwatch.GetTimestamp();

            using var one = await server.ConnectAsync();
            await AnswerAsync(one);

            // One by one, a quarter of a second each, it would be 25 seconds.
            Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(15));
        }
        finally
        {
            halves.ForEach(half => half.Dispose());
        }
    }

    [Fact]
    public async Task A_client_whose_request_is_under_way_stays_and_one_more_is_told_to_come_again()
    {
        var answer = new TaskCompletionSource();
        await using var server = await LocalServer.StartAsync(
            async context =>
            {
                await answer.Task;
                await context.Response.WriteAsync("well");
            },
            mostClients: 2);
        Task<string>[] busy = [server.SendAsync(Last), server.SendAsync(Last)];

        var refused = await server.SendAsync(Request);

        Assert.StartsWith("HTTP/1.1 503 Service Unavailable\r\n", refused, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: 1\r\n", refused, StringComparison.Ordinal);
        Assert.EndsWith("""{"error":"too many requests are under way: try again later"}""", refused, StringComparison.Ordinal);
        answer.SetResult();
        Assert.All(await Task.WhenAll(busy), text => Assert.Contains("well", text, StringComparison.Ordinal));
        Assert.Contains("well", await server.SendAsync(Last), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_more_gets_the_place_of_a_client_that_leaves()
    {
        var (come, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await LocalServer.StartAsync(
            async context =>
            {
                come.TrySetResult();
                await answer.Task;
                await context.Response.WriteAsync("well");
            },
            mostClients: 1);
        var first = server.SendAsync(Last);
        await come.Task;

        var second = server.SendAsync(Last);
        answer.SetResult();

        Assert.Contains("well", await first, StringComparison.Ordinal);
        Assert.Contains("well", await second, StringComparison.Ordinal);
    }

    private static async Task AnswerAsync(TcpClient client)
    {
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Request));
        var text = new StringBuilder();
        var bytes = new byte[1024];
        while (!text.ToString().EndsWith("well\r\n0\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(bytes).AsTask().WaitAsync(s_patience, TimeProvider.System);
            Assert.True(read > 0, $"closed after: {text}");
            text.Append(Encoding.ASCII.GetString(bytes, 0, read));
        }
    }

    private static async Task<string> RestAsync(TcpClient client)
    {
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        try
        {
            return await reader.ReadToEndAsync().WaitAsync(s_patience, TimeProvider.System);
        }
        catch (IOException)
        {
            return ""; // what it had sent was not read
        }
    }
}
