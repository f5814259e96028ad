using System.Globalization;
using System.Text;

namespace FuncStash.Bench;

/// <summary>A session as Markdown: one column a round, and the median.</summary>
internal sealed class Report(Options options, Machine machine, IReadOnlyList<Round> rounds, double loadAverage, DateTimeOffset at)
{
    private readonly StringBuilder _text = new();

    public string Write(int unknown)
    {
        Line($"# {options.Title}");
        Line();
        Line($"{at:yyyy-MM-dd HH:mm} UTC, commit {options.Commit}. Measured: {options.Server}. {rounds.Count} round{(rounds.Count == 1 ? "" : "s")}.");
        Line();
        Checks(unknown);
        Facts();
        if (options.Phases.Contains("load"))
            Load();
        Idle();
        Delayed();
        Retry();
        return _text.ToString().TrimEnd() + "\n";
    }

    private void Checks(int unknown)
    {
        int Sum(Func<Outcome, int> count) => rounds.SelectMany(r => r.Phases).Sum(count);
        Line("Every acknowledged message was looked for at the receiver, in all phases and rounds:");
        Line();
        Line("| acknowledged | lost | duplicates | corrupted | wrong ids | publish errors | unknown requests |");
        Line("|---:|---:|---:|---:|---:|---:|---:|");
        Line($"| {Sum(o => o.Acknowledged):#,0} | {Sum(o => o.Lost)} | {Sum(o => o.Duplicates)} | {Sum(o => o.Corrupted)} "
            + $"| {Sum(o => o.WrongIds)} | {Sum(o => o.Errors)} | {unknown} |");
        if (rounds.SelectMany(r => r.Phases).Select(o => o.FirstError).FirstOrDefault(e => e is not null) is { } error)
        {
            Line();
            Line($"The first error: `{error.ReplaceLineEndings(" ").Replace('`', '\'')}`");
        }
    }

    private void Facts()
    {
        Line();
        Line("## Machine");
        Line();
        Line($"{machine.Facts} Load average before the start: {loadAverage:0.00}. Publisher, receiver and server share these cores.");
    }

    private void Load()
    {
        Header($"Load: {options.N:#,0} messages of {Batch.BodyBytes} bytes over {options.Connections} connections, delivered meanwhile");
        Row("acks/s", r => r.Load!.Server.AcksPerSecond);
        Row("deliveries/s (first publish to last arrival)", r => r.Load!.Server.DeliveriesPerSecond);
        Row("the ceiling's deliveries/s, before", r => r.Load!.CeilingBefore.DeliveriesPerSecond);
        Row("the ceiling's deliveries/s, after", r => r.Load!.CeilingAfter.DeliveriesPerSecond);
        Row("**deliveries/s ÷ ceiling**", r => r.Load!.OfCeiling);
        Rows("ack, ms", r => r.Load!.Server.Ack);
        Rows("ack to arrival, ms", r => r.Load!.Server.AckToArrival);
        Row("lost", r => r.Load!.Server.Lost);
        Row("duplicates", r => r.Load!.Server.Duplicates);
        Row("server: CPU, s", r => r.Load!.Server.Use?.CpuSeconds);
        Row("server: CPU per message, µs", r => r.Load!.Server.Use?.CpuSeconds * 1e6 / r.Load!.Server.Acknowledged);
        Row("ceiling: CPU per message, µs", r => r.Load!.CeilingAfter.Use?.CpuSeconds * 1e6 / r.Load!.CeilingAfter.Acknowledged);
        Row("server: peak PSS, MiB", r => r.Load!.Server.Use?.PeakPss / 1048576.0);
        Row("server: peak RSS, MiB", r => r.Load!.Server.Use?.PeakRss / 1048576.0);
        Row("load generator: CPU, s", r => r.Load!.Server.Use?.LoadCpuSeconds);
        Row("other processes: cores busy", r => r.Load!.Server.Use?.OtherCores);
    }

    private void Idle()
    {
        if (!options.Phases.Contains("idle"))
            return;
        Header("Idle: 200 messages at 20/s");
        Rows("ack, ms", r => r.Idle!.Ack);
        Rows("ack to arrival, ms", r => r.Idle!.AckToArrival);
        Row("server: CPU, s", r => r.Idle!.Use?.CpuSeconds);
    }

    private void Delayed()
    {
        if (!options.Phases.Contains("delayed"))
            return;
        Header("Delayed: 500 messages at 100/s, each delayed by 2 s");
        Rows("lateness, ms", r => Latency.Of(r.Delayed!.Lateness(Session.DelayMs)));
        Row("early", r => r.Early);
    }

    private void Retry()
    {
        if (!options.Phases.Contains("retry"))
            return;
        Header("Retry: 100 messages at 50/s, first attempt answered 503, retry delay 1 s");
        Rows("lateness of the second attempt, ms", r => Latency.Of(r.Retry!.RetryLateness(Session.RetryDelayMs)));
    }

    private void Header(string title)
    {
        Line();
        Line("## " + title);
        Line();
        Line("| | median | " + string.Join(" | ", rounds.Select((_, i) => $"round {i + 1}")) + " |");
        Line("|---|---:|" + string.Concat(rounds.Select(_ => "---:|")));
    }

    private void Rows(string what, Func<Round, Latency> latency)
    {
        Row("p50 of " + what, r => latency(r).P50);
        Row("p99 of " + what, r => latency(r).P99);
    }

    private void Row(string what, Func<Round, double?> value)
    {
        var values = rounds.Select(r => value(r) ?? double.NaN).ToArray();
        Line($"| {what} | {Figure(Latency.Median(values))} | {string.Join(" | ", values.Select(Figure))} |");
    }

    private static string Figure(double value) => double.IsNaN(value) ? "–"
        : value.ToString(Math.Abs(value) >= 100 ? "#,0" : Math.Abs(value) >= 10 ? "0.#" : "0.##", CultureInfo.InvariantCulture);

    private void Line(string text = "") => _text.Append(text).Append('\n');
}
