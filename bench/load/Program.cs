using FuncStash.Bench;
using FuncStash.Bench.Flows;
using FuncStash.Bench.Kills;

try
{
    return args switch
    {
        ["run", .. var rest] => await RunAsync(Options.Parse(rest), TimeProvider.System),
        ["kills", .. var rest] => await KillAsync(KillOptions.Parse(rest), TimeProvider.System),
        ["workflows", .. var rest] => await new FlowRun(FlowOptions.Parse(rest), TimeProvider.System).RunAsync() ? 0 : 1,
        ["ceiling"] => await ServeCeilingAsync(TimeProvider.System),
        _ => throw new FormatException("nothing to do"),
    };
}
catch (FormatException e)
{
    await Console.Error.WriteLineAsync($"{e.Message}\n\n{Options.Usage}");
    return 2;
}

// 0: measured, every check passed. 1: messages were lost, duplicated, altered, early, or refused.
static async Task<int> RunAsync(Options options, TimeProvider time)
{
    var loadAverage = Machine.LoadAverage();
    var machine = Machine.Read(options.Data, time);
    await using var sink = await Sink.StartAsync(time);
    using var ceiling = await CeilingProcess.StartAsync(time);
    using var session = new Session(options, sink, ceiling, time);

    await Console.Error.WriteLineAsync("warming up");
    await session.WarmUpAsync();
    var rounds = new List<Round>();
    for (var round = 1; round <= options.Rounds; round++)
    {
        await Console.Error.WriteLineAsync($"round {round} of {options.Rounds}");
        rounds.Add(await session.RunRoundAsync());
    }

    var report = new Report(options, machine, rounds, loadAverage, time.GetUtcNow()).Write(sink.Unknown);
    await Console.Out.WriteAsync(report);
    if (options.Report is { } file)
        await File.WriteAllTextAsync(file, report);
    return rounds.All(r => r.Sound) && sink.Unknown == 0 ? 0 : 1;
}

// 0: every check holds. 1: one does not, or could not have failed.
static async Task<int> KillAsync(KillOptions options, TimeProvider time)
{
    using var run = new KillRun(options, new Clock(time));
    try
    {
        return await run.RunAsync() ? 0 : 1;
    }
    catch (InvalidOperationException e)
    {
        await Console.Error.WriteLineAsync($"a restart failed: {e.Message}");
        return 1;
    }
}

static async Task<int> ServeCeilingAsync(TimeProvider time)
{
    using var stop = new CancellationTokenSource();
    var served = new Ceiling(time, Guid.NewGuid().ToString("N")).RunAsync(Console.Out, stop.Token);
    await Task.WhenAny(served, Console.In.ReadToEndAsync(CancellationToken.None));
    await stop.CancelAsync();
    await served;
    return 0;
}
