using System.Globalization;
using System.Text;

namespace FuncStash.Bench.Flows;

/// <summary>
/// Runs of five steps, runs of none, and as many plain messages as there are steps, in turn; then runs that sleep, for their memory.
/// </summary>
internal sealed class FlowRun(FlowOptions options, TimeProvider time)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5), s_settle = TimeSpan.FromSeconds(2);

    private readonly StringBuilder _text = new();

    /// <summary>One kind of work in one round.</summary>
    private sealed record Part(double Seconds, ProcessUse.Result Use);

    /// <returns>Whether each run ended once, with as many deliveries as it has steps and one, and each message arrived once.</returns>
    public async Task<bool> RunAsync()
    {
        var (load, machine) = (Machine.LoadAverage(), Machine.Read(options.Data, time));
        using var server = ReadyProcess.Start([options.Server, "--port", "0", "--data", Path.Combine(options.Data, "store")], withInput: false);
        await server.WaitAsync(time);
        await using var sink = await Sink.StartAsync(time);
        await using var app = await FlowApp.StartAsync(server, 2 * options.Connections);
        using var publisher = new Publisher(server.Url, server.Token, sink.Url, options.Connections, time);

        var messages = options.Runs * FlowApp.Steps;
        await PlainAsync(server, sink, publisher, messages / 2); // compiled and tiered up before anything counts
        await FlowsAsync(server, app, "warm", "steps", options.Runs / 2);
        var (plain, flows, ends) = (new List<Part>(), new List<Part>(), new List<Part>());
        for (var round = 1; round <= options.Rounds; round++)
        {
            await Console.Error.WriteLineAsync($"round {round} of {options.Rounds}");
            plain.Add(await PlainAsync(server, sink, publisher, messages));
            flows.Add(await FlowsAsync(server, app, "r" + round, "steps", options.Runs));
            ends.Add(await FlowsAsync(server, app, "n" + round, "none", options.Runs));
        }
        var (before, after) = await SleepAsync(server, app);

        Line($"# {options.Title}\n");
        Line($"{time.GetUtcNow():yyyy-MM-dd HH:mm} UTC, commit {options.Commit}. FuncStash.Server, embedded store, synced before each acknowledgement. Medians of {options.Rounds} rounds.\n");
        Line($"{machine.Facts} Load average before the start: {load:0.00}. The workflows' program, publisher, receiver and server share these cores.\n");
        Line($"Runs: {2 * options.Runs * options.Rounds:#,0}, each ended once; {app.Extra} deliveries too many, {app.Wrong} things wrong{(app.FirstWrong is { } wrong ? $" (the first: `{wrong}`)" : "")}; plain messages: {_lost} lost, {_twice} twice.\n");
        Line($"| | {options.Runs:#,0} runs of {FlowApp.Steps} steps | {options.Runs:#,0} runs of none | {messages:#,0} plain messages | a step ÷ a plain message |\n|---|---:|---:|---:|---:|");
        var (run, end, message) = (Each(flows, options.Runs, Seconds), Each(ends, options.Runs, Seconds), Each(plain, messages, Seconds));
        Line($"| a second | {1e6 / run:0} | {1e6 / end:0} | {1e6 / message:0} | |");
        Line($"| time, µs each | {run:0} | {end:0} | {message:0} | {Step(run, end, message)} |");
        (run, end, message) = (Each(flows, options.Runs, Cpu), Each(ends, options.Runs, Cpu), Each(plain, messages, Cpu));
        Line($"| server: CPU, µs each | {run:0} | {end:0} | {message:0} | {Step(run, end, message)} |");
        Line($"| other processes: cores busy | {Median(flows.Select(Others)):0.00} | {Median(ends.Select(Others)):0.00} | {Median(plain.Select(Others)):0.00} | |");
        Line($"\nA step is a fifth of what a run of five steps takes beyond one of none, which is triggered, called once and ended. In brackets: a fifth of the whole run.");
        if (options.Sleeping > 0)
            Line($"\n{options.Sleeping:#,0} runs that sleep for a day: the server's PSS was {before / 1048576.0:0} MiB before they were triggered and {after / 1048576.0:0} MiB with all of them asleep ({(after - before) / options.Sleeping} bytes each).");
        await Console.Out.WriteAsync(_text.ToString());
        if (options.Report is { } file)
            await File.WriteAllTextAsync(file, _text.ToString());
        return app is { Extra: 0, Wrong: 0 } && _lost + _twice + sink.Unknown == 0;
    }

    private int _lost, _twice;

    private static double Seconds(Part part) => part.Seconds;

    private static double Cpu(Part part) => part.Use.CpuSeconds;

    private static double Others(Part part) => part.Use.OtherCores;

    // In microseconds.
    private static double Each(List<Part> parts, int count, Func<Part, double> cost) => Median(parts.Select(part => 1e6 * cost(part) / count));

    private static string Step(double run, double end, double message) => string.Create(
        CultureInfo.InvariantCulture, $"{(run - end) / FlowApp.Steps / message:0.00} ({run / FlowApp.Steps / message:0.00})");

    private async Task<Part> PlainAsync(ReadyProcess server, Sink sink, Publisher publisher, int messages)
    {
        var batch = sink.NewBatch(messages);
        var part = await MeasureAsync(server, async () =>
        {
            await publisher.SaturateAsync(batch, s_patience);
            await UntilAsync(() => batch.ArrivedCount == messages, () => $"{batch.ArrivedCount} of {messages} messages arrived");
        });
        var outcome = new Outcome(batch, time, null);
        (_lost, _twice) = (_lost + outcome.Lost, _twice + outcome.Duplicates);
        return part;
    }

    private Task<Part> FlowsAsync(ReadyProcess server, FlowApp app, string name, string kind, int runs)
    {
        var ended = app.Ended;
        return MeasureAsync(server, async () =>
        {
            await app.TriggerAsync(name, kind, runs, options.Connections);
            await UntilAsync(() => app.Ended == ended + runs, () => $"{app.Ended - ended} of {runs} runs ended; {app.FirstWrong}");
        });
    }

    private async Task<(long Before, long After)> SleepAsync(ReadyProcess server, FlowApp app)
    {
        if (options.Sleeping == 0)
            return default;
        using (var before = new ProcessUse(server.Pid, time))
        {
            var first = before.Read().PeakPss;
            await app.TriggerAsync("asleep", "sleep", options.Sleeping, options.Connections);
            await UntilAsync(() => app.Asleep == options.Sleeping, () => $"{app.Asleep} of {options.Sleeping} runs sleep; {app.FirstWrong}");
            await Task.Delay(5 * s_settle, time); // Garbage collectors come to rest.
            using var after = new ProcessUse(server.Pid, time);
            return (first, after.Read().PeakPss);
        }
    }

    private async Task<Part> MeasureAsync(ReadyProcess server, Func<Task> work)
    {
        using var use = new ProcessUse(server.Pid, time);
        var start = time.GetTimestamp();
        await work();
        var part = new Part(time.GetElapsedTime(start).TotalSeconds, use.Read());
        await Task.Delay(s_settle, time);
        return part;
    }

    private async Task UntilAsync(Func<bool> there, Func<string> state)
    {
        var start = time.GetTimestamp();
        while (!there())
        {
            if (time.GetElapsedTime(start) > s_patience)
                throw new InvalidOperationException($"after {s_patience.TotalMinutes} minutes: {state()}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), time);
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private void Line(FormattableString text) => _text.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
