using System.Text.Json;
using FuncStash.Client.Tests;

namespace FuncStash.Cli.Tests.Verbs;

/// <summary>Schedules, queues, keys and messages, as the verbs make and tell them.</summary>
public sealed class ResourceTests(EmbeddedServer server)
{
    private readonly string _name = "r-" + Guid.NewGuid().ToString("N");

    [Fact]
    public async Task A_schedule_is_created_paused_resumed_and_deleted()
    {
        Assert.Equal(_name + "\n", (await Funcstash.RunAsync(
            server, "schedules", "create", "http://127.0.0.1:9/x", "--cron", "0 4 1 1 *", "--id", _name, "--data", "hello", "--label", "night", "--queue", _name)).Well);

        var schedule = await server.NewClient().Schedules.GetAsync(_name);
        Assert.Equal(("0 4 1 1 *", "hello", _name), (schedule.Cron, schedule.Body, schedule.QueueName));
        Assert.Equal(["night"], schedule.Labels);
        Assert.Contains((await Funcstash.RunAsync(server, "schedules")).Lines, line => line.StartsWith($"{_name}\t0 4 1 1 *\thttp://127.0.0.1:9/x\t", StringComparison.Ordinal));
        Assert.Equal("1 paused\n", (await Funcstash.RunAsync(server, "schedules", "pause", _name)).Well);
        Assert.True((await server.NewClient().Schedules.GetAsync(_name)).IsPaused);
        var some = await Funcstash.RunAsync(server, "schedules", "resume", _name, "scd_unknown");
        Assert.Equal((ExitCode.Incomplete, "1 resumed\n"), (some.Code, some.Out));
        Assert.Contains("cron", (await Funcstash.RunAsync(server, "schedules", "get", _name)).Well, StringComparison.Ordinal);
        Assert.Equal("1 deleted\n", (await Funcstash.RunAsync(server, "schedules", "delete", _name)).Well);
        Assert.Equal(ExitCode.NotFound, (await Funcstash.RunAsync(server, "schedules", "delete", _name)).Code);
        Assert.Equal(ExitCode.Refused, (await Funcstash.RunAsync(server, "schedules", "create", "http://127.0.0.1:9/x", "--cron", "never")).Code);
    }

    [Fact]
    public async Task A_queue_is_set_paused_and_deleted()
    {
        Assert.Contains("parallelism", (await Funcstash.RunAsync(server, "queues", "set", _name, "--parallelism", "3")).Well, StringComparison.Ordinal);
        await Funcstash.RunAsync(server, "queues", "pause", _name);

        var json = JsonDocument.Parse((await Funcstash.RunAsync(server, "queues", "get", _name, "--json")).Well).RootElement;
        Assert.Equal((3, true), (json.GetProperty("parallelism").GetInt32(), json.GetProperty("paused").GetBoolean()));
        Assert.Contains((await Funcstash.RunAsync(server, "queues")).Lines, line => line.StartsWith($"{_name}\t3\tpaused\t0\t", StringComparison.Ordinal));
        Assert.Equal("1 resumed\n", (await Funcstash.RunAsync(server, "queues", "resume", _name)).Well);
        Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(server, "queues", "delete", _name)).Code);
        Assert.Equal("1 deleted\n", (await Funcstash.RunAsync(server, "queues", "delete", _name, "--yes")).Well);
    }

    [Fact]
    public async Task The_signing_keys_are_lines_of_an_environment_file()
    {
        Assert.Equal(
            $"QSTASH_CURRENT_SIGNING_KEY={EmbeddedServer.CurrentKey}\nQSTASH_NEXT_SIGNING_KEY={EmbeddedServer.NextKey}\n",
            (await Funcstash.RunAsync(server, "keys")).Well);
        Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(server, "keys", "rotate")).Code);
    }

    [Fact]
    public async Task Signing_keys_are_rotated_on_a_server_of_its_own()
    {
        var (process, settings) = await Funcstash.ServeAsync();
        await using var ended = process;

        var rotated = (await Funcstash.RunAsync(settings, ["keys", "rotate", "--yes"])).Well;

        Assert.StartsWith($"QSTASH_CURRENT_SIGNING_KEY={EmbeddedServer.NextKey}\n", rotated, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_is_waited_for_until_it_is_ready()
    {
        var settings = new Dictionary<string, string> { ["QSTASH_URL"] = server.Url.ToString() };
        Assert.Equal("ready\n", (await Funcstash.RunAsync(settings, ["ready"])).Well);

        var status = 503;
        await using var app = await Receiver.StartAsync();
        app.Otherwise = _ => Answer.Of(status);
        settings = new() { ["QSTASH_URL"] = app.BaseUrl };
        Assert.Equal(ExitCode.Unreachable, (await Funcstash.RunAsync(settings, ["ready"])).Code);
        var waiting = Funcstash.RunAsync(settings, ["ready", "--wait", "60s"]);
        await Eventually.GetAsync(() => Task.FromResult(app.All.Count), count => count > 2);
        status = 200;
        Assert.Equal(ExitCode.Done, (await waiting).Code);
        Assert.All(app.All, request => Assert.Equal("/ready", request.Target));
    }

    [Fact]
    public async Task Messages_are_listed_by_what_became_of_them_and_cancelled_by_filters()
    {
        await using var app = await Receiver.StartAsync();
        var delivered = (await Funcstash.RunAsync(server, "publish", app.BaseUrl, "--label", _name)).Well.Trim();
        var waiting = (await Funcstash.RunAsync(server, "publish", app.BaseUrl, "--label", _name, "--delay", "1h")).Well.Trim();

        var lines = await Eventually.GetAsync(
            async () => (await Funcstash.RunAsync(server, "messages", "--label", _name)).Lines, found => found.Any(line => line.Contains("\tdelivered\t", StringComparison.Ordinal)));
        Assert.Equal(2, lines.Length);
        Assert.Contains(lines, line => line.Contains($"\tdelivered\t{delivered}\t", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains($"\tcreated\t{waiting}\t", StringComparison.Ordinal));
        Assert.Contains(waiting, (await Funcstash.RunAsync(server, "messages", "get", waiting)).Well, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(server, "messages", "cancel", "--label", _name)).Code);
        Assert.Equal("1 cancelled\n", (await Funcstash.RunAsync(server, "messages", "cancel", "--label", _name, "--yes")).Well);
        Assert.Equal(ExitCode.NotFound, (await Funcstash.RunAsync(server, "messages", "cancel", "msg_unknown")).Code);
        var some = await Funcstash.RunAsync(server, "messages", "cancel", "msg_unknown", "msg_other", "msg_other");
        Assert.Equal((ExitCode.Incomplete, "0 cancelled\n"), (some.Code, some.Out));
        Assert.Contains("2 of 2", some.Error, StringComparison.Ordinal);
    }
}
