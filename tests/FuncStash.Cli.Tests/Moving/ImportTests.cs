using System.Text.Json;
using FuncStash.Cli.Moving;
using FuncStash.Client;
using FuncStash.Client.Tests;

namespace FuncStash.Cli.Tests.Moving;

/// <summary>From one server to another, each a process of its own.</summary>
public sealed class ImportTests : IAsyncLifetime
{
    private readonly string _file = Path.GetTempFileName();
    private (ChildProcess Process, Dictionary<string, string> Settings) _source, _target;

    private Dictionary<string, string> Both => new(_target.Settings)
    {
        ["QSTASH_FROM_URL"] = _source.Settings["QSTASH_URL"], ["QSTASH_FROM_TOKEN"] = _source.Settings["QSTASH_TOKEN"],
    };

    private QStashClient Source => ClientOf(_source.Settings);

    private QStashClient Target => ClientOf(_target.Settings);

    public async ValueTask InitializeAsync() => (_source, _target) = (await Funcstash.ServeAsync(), await Funcstash.ServeAsync());

    public async ValueTask DisposeAsync()
    {
        await _source.Process.DisposeAsync();
        await _target.Process.DisposeAsync();
        File.Delete(_file);
    }

    [Fact]
    public async Task An_import_that_was_killed_half_way_is_said_again_and_then_all_is_there_once()
    {
        var all = Setups.Large(schedules: 1000, groups: 200, queues: 50);
        await ApplyAsync(_source.Settings, all);

        // What is there already is not to be touched: not by the import, nor by its repetition.
        await Target.Schedules.CreateAsync("http://127.0.0.1:9/own", "0 5 1 1 *", "own", new() { ScheduleId = "own" });
        await using (var first = ChildProcess.Start("dotnet", [Funcstash.Dll, "import", "--yes", "--together", "2"], Both!))
        {
            await Eventually.GetAsync(() => Target.Schedules.ListAsync(), found => found.Count > 300);
        }

        var half = (await Target.Schedules.ListAsync()).ToDictionary(s => s.ScheduleId);
        Assert.InRange(half.Count, 301, 1000);
        var difference = await Funcstash.RunAsync(Both, ["import", "--diff"]);
        Assert.Equal(ExitCode.Different, difference.Code);
        Assert.DoesNotContain(difference.Lines, line => line.StartsWith("+ URL group", StringComparison.Ordinal));

        await using (var second = ChildProcess.Start("dotnet", [Funcstash.Dll, "import", "--yes"], Both!))
            Assert.Equal(ExitCode.Done, await second.ExitAsync(TimeSpan.FromMinutes(3)));

        var schedules = await Target.Schedules.ListAsync();
        Assert.Equal(1001, schedules.Count);
        Assert.Equal(1001, schedules.Select(s => s.ScheduleId).Distinct().Count());
        var there = (await InventoryReader.ReadAsync(Target, CancellationToken.None)).Inventory;
        Assert.Equal(Text(all), Text(there with { Schedules = [.. there.Schedules.Where(s => s.Id != "own")] }));
        // What the first one had finished the second one left alone.
        var finished = half.Values.Where(s => s.ScheduleId == "own" || s.IsPaused == all.Schedules.Single(w => w.Id == s.ScheduleId).Paused).ToList();
        Assert.True(finished.Count > 250);
        Assert.All(finished, before => Assert.Equal(before.CreatedAt, schedules.Single(s => s.ScheduleId == before.ScheduleId).CreatedAt));

        var third = await Funcstash.RunAsync(Both, ["import", "--yes"]);
        Assert.Contains("0 to create, 0 to change, 1260 the same", third.Well, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(Both, ["import", "--diff", "--json"])).Code);
    }

    [Fact]
    public async Task What_differs_is_changed_and_shown_field_by_field()
    {
        var setup = Setups.Large(schedules: 4, groups: 3, queues: 2);
        await ApplyAsync(_source.Settings, setup);
        await ApplyAsync(_target.Settings, setup with
        {
            Schedules = [setup.Schedules[1] with { Cron = "1 1 1 1 *" }, setup.Schedules[2] with { Paused = true }, setup.Schedules[3]],
            UrlGroups =
            [
                setup.UrlGroups[0] with { Endpoints = [new() { Url = "http://127.0.0.1:9/other" }] },
                // The same URL under another name, and the same name with another URL.
                setup.UrlGroups[1] with { Endpoints = [.. setup.UrlGroups[1].Endpoints.Select(e => e.Name is null ? e with { Name = "first" } : e with { Url = e.Url + "/old" })] },
            ],
            Queues = [setup.Queues[0] with { Parallelism = 9, Paused = false }],
            FlowControl = [setup.FlowControl[0] with { Parallelism = null, Rate = 7, Period = "2s" }, setup.FlowControl[1] with { Paused = false, Parallelism = 8 }],
        });
        var kept = (await Target.Schedules.GetAsync(setup.Schedules[2].Id)).CreatedAt;

        var shown = await Funcstash.RunAsync(Both, ["import", "--diff"]);
        Assert.Equal(ExitCode.Different, shown.Code);
        Assert.Contains($"~ schedule {setup.Schedules[1].Id}\n    cron: \"1 1 1 1 *\" -> \"{setup.Schedules[1].Cron}\"\n", shown.Out, StringComparison.Ordinal);
        Assert.Contains("    paused: true -> false\n", shown.Out, StringComparison.Ordinal);
        Assert.Equal(Text(setup), Text((await InventoryReader.ReadAsync(Source, CancellationToken.None)).Inventory));

        Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(Both, ["import", "--yes"])).Code);

        Assert.Equal(Text(setup), Text((await InventoryReader.ReadAsync(Target, CancellationToken.None)).Inventory));
        Assert.Equal(kept, (await Target.Schedules.GetAsync(setup.Schedules[2].Id)).CreatedAt);
    }

    [Fact]
    public async Task Schedules_may_come_paused_and_run_when_it_is_said_again()
    {
        var setup = Setups.Large(schedules: 12, groups: 20, queues: 4);
        await ApplyAsync(_source.Settings, setup);

        Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(Both, ["import", "--yes", "--schedules-paused"])).Code);
        Assert.All(await Target.Schedules.ListAsync(), schedule => Assert.True(schedule.IsPaused));
        Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(Both, ["import", "--yes"])).Code);

        Assert.Equal(setup.Schedules.Select(s => (s.Id, s.Paused)), (await Target.Schedules.ListAsync()).Select(s => (s.ScheduleId, s.IsPaused)).Order());
    }

    [Fact]
    public async Task A_schedule_with_redacted_values_is_left_out_and_named()
    {
        await Source.Schedules.CreateAsync("http://127.0.0.1:9/x", "0 4 1 1 *", "secret", new() { ScheduleId = "hidden", Redact = new() { Body = true } });
        await Source.Schedules.CreateAsync("http://127.0.0.1:9/x", "0 4 1 1 *", "plain", new() { ScheduleId = "header", Headers = { ["X-Key"] = "secret" }, Redact = new() { Headers = ["X-Key"] } });
        await Source.Schedules.CreateAsync("http://127.0.0.1:9/x", "0 4 1 1 *", "plain", new() { ScheduleId = "plain" });

        var ran = await Funcstash.RunAsync(Both, ["import", "--yes"]);

        Assert.Equal(ExitCode.Incomplete, ran.Code);
        Assert.Contains("! schedule hidden: its body is redacted", ran.Error, StringComparison.Ordinal);
        Assert.Contains("! schedule header: its header X-Key is redacted", ran.Error, StringComparison.Ordinal);
        Assert.Equal("plain", Assert.Single(await Target.Schedules.ListAsync()).ScheduleId);
    }

    [Fact]
    public async Task A_schedule_there_with_redacted_values_stays_as_it_is()
    {
        await Source.Schedules.CreateAsync("http://127.0.0.1:9/x", "0 4 1 1 *", "new", new() { ScheduleId = "one" });
        await Target.Schedules.CreateAsync("http://127.0.0.1:9/x", "0 4 1 1 *", "secret", new() { ScheduleId = "one", Redact = new() { Body = true } });
        var before = await Target.Schedules.GetAsync("one");

        Assert.Equal(ExitCode.Incomplete, (await Funcstash.RunAsync(Both, ["import", "--yes"])).Code);

        Assert.Equal((before.Body, before.CreatedAt), ((await Target.Schedules.GetAsync("one")).Body, (await Target.Schedules.GetAsync("one")).CreatedAt));
    }

    [Fact]
    public async Task What_the_service_refuses_keeps_nothing_else_away()
    {
        await File.WriteAllTextAsync(_file, """
            schedules:
            - id: bad
              cron: never
              destination: http://127.0.0.1:9/x
            - {id: good, cron: 0 4 1 1 *, destination: http://127.0.0.1:9/x}
            """);

        var ran = await Funcstash.RunAsync(_target.Settings, ["apply", _file, "--yes"]);

        Assert.Equal(ExitCode.Incomplete, ran.Code);
        Assert.Contains("schedule bad: Invalid cron", ran.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("1 change made, 1 failed", ran.Out, StringComparison.Ordinal);
        Assert.Equal("good", Assert.Single(await Target.Schedules.ListAsync()).ScheduleId);
    }

    [Fact]
    public async Task Nothing_is_changed_where_nobody_said_yes_and_a_service_is_not_imported_into_itself()
    {
        await Source.Queues.UpsertAsync("q");

        Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(Both, ["import"])).Code);
        Assert.Empty(await Target.Queues.ListAsync());
        Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(Both, ["import", "--yes", "--url", _source.Settings["QSTASH_URL"]])).Code);
        Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(_target.Settings, ["import", "--yes"])).Code);
    }

    [Fact]
    public async Task An_export_is_a_file_that_apply_takes_as_YAML_and_as_JSON()
    {
        await ApplyAsync(_source.Settings, Setups.Large(schedules: 20, groups: 20, queues: 4));

        var yaml = (await Funcstash.RunAsync(_source.Settings, ["export"])).Well;
        Assert.Equal("", (await Funcstash.RunAsync(_source.Settings, ["export", "--output", _file])).Well);
        Assert.Equal(yaml, (await Funcstash.RunAsync(_source.Settings, ["export", "--output", "-"])).Well);
        Assert.Equal(yaml, await File.ReadAllTextAsync(_file));
        Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(_source.Settings, ["apply", _file, "--diff"])).Code);
        var json = (await Funcstash.RunAsync(_source.Settings, ["export", "--json"])).Well;
        Assert.Equal(20, JsonDocument.Parse(json).RootElement.GetProperty("schedules").GetArrayLength());
        Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(_target.Settings, ["apply", "-", "--yes"], Funcstash.Bytes(json))).Code);
        Assert.Equal(yaml, (await Funcstash.RunAsync(_target.Settings, ["export"])).Well);
    }

    private static QStashClient ClientOf(Dictionary<string, string> settings) =>
        new(new QStashClientOptions { BaseUrl = new(settings["QSTASH_URL"]), Token = settings["QSTASH_TOKEN"] });

    private static string Text(Inventory inventory) => InventoryFile.Write(inventory);

    private async Task ApplyAsync(Dictionary<string, string> settings, Inventory inventory)
    {
        await File.WriteAllTextAsync(_file, InventoryFile.Write(inventory));
        var ran = await Funcstash.RunAsync(settings, ["apply", _file, "--yes"]);
        Assert.True(ran.Code == ExitCode.Done, ran.Error);
    }
}
