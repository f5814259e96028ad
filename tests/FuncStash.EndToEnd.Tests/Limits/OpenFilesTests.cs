using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Limits;

/// <summary>The server and the files, sockets among them, that the system lets it open.</summary>
[Collection(Alone.Name)]
public sealed class OpenFilesOnServer(SqliteHost hosts)
{
    private const string Few = "ulimit -n 640";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Messages_to_more_hosts_than_there_are_files_are_all_delivered_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "127.0.0.0/8 is not all this machine's elsewhere");
        const int Many = 1500, Connections = 160, Others = 20;
        var data = await hosts.NewDataAsync();
        await using var host = await ServerHost.StartWithinAsync(data, Few);
        await using var receiver = await Receiver.StartAsync(IPAddress.Any);
        var wire = new WireClient(host);
        var most = 0;

        var delivering = receiver.WaitUntilAsync(() =>
        {
            most = Math.Max(most, receiver.All.Count % 50 == 0 ? ProcessFiles.Sockets(host.ProcessId) : 0);
            return receiver.All.Count >= Many;
        }, s_patience, () => $"{Many} requests; there are {receiver.All.Count}; the server printed:\n{host.Output}");
        for (var first = 0; first < Many; first += 100)
            await PublishAsync(wire, Enumerable.Range(first, 100).Select(n => receiver.BaseUrl.Replace("0.0.0.0", $"127.0.{n / 200}.{1 + (n % 200)}", StringComparison.Ordinal)));
        await delivering;

        Assert.InRange(most, 1, Connections + Others);
        Assert.All(receiver.All, request => Assert.Equal("0", request.Header("upstash-retried")));
        Assert.Equal(Many, receiver.All.Select(request => request.MessageId).Distinct().Count());
        // They serve nobody any more.
        await Eventually.GetAsync(() => Task.FromResult(ProcessFiles.Sockets(host.ProcessId)), sockets => sockets < Others, timeout: s_patience);
        Assert.Equal(0, await host.StopAsync());
        await data.DisposeAsync();
    }

    [Fact]
    public async Task Clients_that_keep_more_connections_than_there_are_files_block_nobody()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the limit is Linux's");
        const int Many = 700;
        var data = await hosts.NewDataAsync();
        await using var host = await ServerHost.StartWithinAsync(data, Few);
        await using var receiver = await Receiver.StartAsync();
        var clients = new List<TcpClient>();
        for (var i = 0; i < Many; i++)
        {
            clients.Add(new TcpClient());
            await clients[^1].ConnectAsync(host.Url.Host, host.Url.Port).WaitAsync(s_patience, TimeProvider.System);
        }

        var began = TimeProvider.System.GetTimestamp();
        Assert.Equal(HttpStatusCode.OK, (await new WireClient(host).TryPublishAsync(receiver.Url("/hook"), [])).Status);
        await receiver.OneAsync("/hook");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 0, 10);

        // The first to come were the first to go.
        Assert.Equal(0, await clients[0].GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(s_patience, TimeProvider.System));
        clients.ForEach(client => client.Dispose());
        Assert.Equal(0, await host.StopAsync());
        await data.DisposeAsync();
    }

    [Fact]
    public async Task Without_a_file_for_a_connection_attempts_wait_and_none_is_used_up()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the limit is Linux's");
        const int Many = 20;
        var data = await hosts.NewDataAsync();
        await using var host = await hosts.StartAsync(data);
        await using var receiver = await Receiver.StartAsync();
        var wire = new WireClient(host);
        await wire.PublishAsync(receiver.Url("/before"));
        await receiver.OneAsync("/before");
        // Connections that are there already serve on.
        await Eventually.GetAsync(() => Task.FromResult(ProcessFiles.Sockets(host.ProcessId)), sockets => sockets < 6);
        await wire.GetAsync("/health");

        using (ProcessFiles.TakeAway(host.ProcessId))
        {
            await PublishAsync(wire, Enumerable.Repeat(receiver.Url("/hook"), Many));
            using var waiting = new TcpClient();
            await waiting.ConnectAsync(host.Url.Host, host.Url.Port);
            var cpu = Process.GetProcessById(host.ProcessId).TotalProcessorTime;
            await Eventually.GetAsync(() => Task.FromResult(host.Output), output => output.Contains("attempts have to wait", StringComparison.Ordinal));
            Assert.InRange((Process.GetProcessById(host.ProcessId).TotalProcessorTime - cpu).TotalSeconds, 0, 2);
        }

        var requests = await receiver.WaitForAsync("/hook", Many, s_patience);
        Assert.All(requests, request => Assert.Equal("0", request.Header("upstash-retried")));
        Assert.Empty(await wire.EventsAsync("state=ERROR"));
        Assert.Equal(0, await host.StopAsync());
        await data.DisposeAsync();
    }

    [Fact]
    public async Task A_limit_that_is_too_low_is_told_at_the_start()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the limit is Linux's");
        await using var server = ChildProcess.Start("/bin/sh", ["-c", $"ulimit -n 300; exec dotnet '{Repository.ServerDll}' --port 0 --data :memory:"]);

        Assert.Equal(2, await server.ExitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("the limit of open files (ulimit -n) is 300: at least 384 are needed", server.Output, StringComparison.Ordinal);
    }

    private static async Task PublishAsync(WireClient wire, IEnumerable<string> destinations)
    {
        var items = destinations.Select(destination => new JsonObject
        {
            ["destination"] = $"{destination.TrimEnd('/')}",
            ["headers"] = new JsonObject { ["Upstash-Retries"] = "0" },
        });
        var body = System.Text.Encoding.UTF8.GetBytes(new JsonArray([.. items]).ToJsonString());
        var answer = await wire.SendAsync(HttpMethod.Post, "/v2/batch", body);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
    }
}
