namespace FuncStash.Bench.Kills;

/// <summary>A kill run: the server is killed again and again under load, everything comes to its end, the checks are made.</summary>
internal sealed class KillRun(KillOptions options, Clock clock) : IDisposable
{
    // The sweep takes its first turn a minute after the start and finds what a publisher left half done; schedules run each minute.
    private static readonly TimeSpan s_endAtLeast = TimeSpan.FromSeconds(100);
    private static readonly TimeSpan s_endAtMost = TimeSpan.FromSeconds(240), s_askAtMost = TimeSpan.FromSeconds(600);

    private readonly Target _target = new();
    private readonly CancellationTokenSource _stop = new(), _end = new();

    /// <returns>whether all checks hold; the report is written</returns>
    public async Task<bool> RunAsync()
    {
        var loadAverage = Machine.LoadAverage();
        var machine = Machine.Read(options.Data, clock.Time);
        using var lives = new Lives(options, _target, clock);
        using var signals = EndWithThis(lives);
        var traffic = new Traffic(options, _target, clock);
        await using var witness = await Witness.StartAsync(lives, traffic, clock);
        traffic.Receiver = witness.Url;
        var schedules = new Schedules(_target, clock);
        var rates = new RateReadings(_target, clock);

        var began = clock.Now;
        Task[] publishing =
        [
            traffic.RunAsync(_stop.Token, _end.Token),
            MakeSchedulesAsync(schedules, witness.Url),
        ];
        var reading = rates.RunAsync(Mix.Rated.Name, _end.Token);
        await lives.KillAllAsync(kill =>
        {
            if (kill % 20 == 0)
                Console.Error.WriteLine($"{kill} kills in {(clock.Now - began) / 1_000:0} s, {traffic.Count} published, {witness.Count} requests received");
        });
        await lives.StartLastAsync();
        await _stop.CancelAsync();
        // What is still being published again or cancelled is so within the time that everything may come to its end.
        _end.CancelAfter(s_endAtMost);
        await Task.WhenAll(publishing);
        await EndAsync(() => Seen(new Ledger(Enumerable.Empty<string>().ToLookup(_ => "", _ => ""), [])));
        _end.CancelAfter(s_askAtMost);
        await schedules.DeleteAsync(_end.Token);
        // What comes after the deletion, and duplicates.
        await clock.DelayAsync(10_000);

        var ledger = await Ledger.ReadAsync(_target, _end.Token);
        await _end.CancelAsync();
        await reading;
        var report = new KillReport(options, machine, loadAverage, Seen(ledger), _target, witness.Unknown, clock.Time.GetUtcNow());
        var text = report.Write();
        await Console.Out.WriteAsync(text);
        if (options.Report is { } file)
            await File.WriteAllTextAsync(file, text);
        return report.Sound;

        Evidence Seen(Ledger said) => new(
            traffic.Notes, witness.Arrivals, lives.All, said, schedules.All, rates.All, options.Settled);
    }

    private async Task MakeSchedulesAsync(Schedules schedules, string receiver)
    {
        await schedules.MakeAsync(receiver, _end.Token);
        await schedules.MakeAgainAsync(receiver, _stop.Token, _end.Token);
    }

    // Until nothing is missing, or the time is up.
    private async Task EndAsync(Func<Evidence> seen)
    {
        var start = clock.Now;
        while (true)
        {
            var (evidence, after) = (seen(), TimeSpan.FromMilliseconds(clock.Now - start));
            var open = Ends.Lost(evidence).Concat(Followers.Missing(evidence)).Count();
            await Console.Error.WriteLineAsync($"{after.TotalSeconds:0} s after the last start, {open} are open");
            if ((open == 0 && after >= s_endAtLeast) || after >= s_endAtMost)
                return;
            await clock.DelayAsync(open == 0 ? (s_endAtLeast - after).TotalMilliseconds : 5_000);
        }
    }

    // A server must not outlive this program.
    private static System.Runtime.InteropServices.PosixSignalRegistration EndWithThis(Lives lives) =>
        System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, _ =>
        {
            lives.Dispose();
            Environment.Exit(143);
        });

    public void Dispose()
    {
        _target.Dispose();
        _stop.Dispose();
        _end.Dispose();
    }
}
