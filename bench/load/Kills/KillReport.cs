using System.Text;

namespace FuncStash.Bench.Kills;

/// <summary>A kill run as Markdown.</summary>
internal sealed class KillReport(
    KillOptions options, Machine machine, double loadAverage, Evidence evidence, Target target, int unknown, DateTimeOffset at)
{
    private const int Examples = 3;

    private const int Long = 100;

    private readonly double[] _gaps = [.. ((double[])[1, 5, 20, 50, 100, 200, 500, 1_000]).Where(ms => ms < options.Settled), options.Settled];

    private readonly StringBuilder _text = new();

    /// <summary>Whether all checks hold, and each could have failed.</summary>
    public bool Sound { get; private set; } = true;

    public string Write()
    {
        var (kills, inStart) = (evidence.Lives.Count(life => life.KilledAt > 0), evidence.Lives.Count(life => life.ReadyAt == 0));
        var seconds = (evidence.Lives[^1].StartedAt - evidence.Lives[0].StartedAt) / 1_000;
        Line($"# {options.Title}");
        Line();
        Line($"{at:yyyy-MM-dd HH:mm} UTC, commit {options.Commit}, seed {options.Seed}. FuncStash.Server on a folder of its own was killed "
            + $"(SIGKILL) {kills:#,0} times in {seconds:#,0} s, {inStart:#,0} of them during its start, and started again on the same data.");
        Line();
        Checks();
        Kinds(seconds);
        Duplicates();
        Times();
        Line();
        Line("## Machine");
        Line();
        Line($"{machine.Facts} Load average before the start: {loadAverage:0.00}. Publishers, receiver and server share these cores.");
        return _text.ToString();
    }

    private void Checks()
    {
        Line("| check | faults | sees a fault |");
        Line("|---|---:|---|");
        var faults = new List<string>();
        foreach (var check in Check.All)
        {
            string[] found = [.. check.Faults(evidence)];
            var spoiled = check.Spoil(evidence);
            var sees = spoiled is null ? "not tried" : check.Faults(spoiled).Count() > found.Length ? "yes" : "**no**";
            Sound &= found.Length == 0 && sees != "**no**";
            Line($"| {check.Name} | {found.Length} | {sees} |");
            faults.AddRange(found.Take(Examples));
        }
        Line($"| calls are answered as they should be | {target.Refused} | |");
        Line($"| nothing else comes to the receiver | {unknown} | |");
        Sound &= target.Refused == 0 && unknown == 0;
        faults.AddRange(target.FirstRefusal is { } refusal ? [refusal] : []);
        Line();
        Line("*Sees a fault*: the check was made again on the record of this run with one thing changed, as a server that fails would "
            + "have left it, and found that.");
        if (faults.Count == 0)
            return;
        Line();
        Line($"Up to {Examples} of each:");
        Line();
        foreach (var fault in faults)
            Line($"- `{fault.ReplaceLineEndings(" ").Replace('`', '\'')}`");
    }

    private void Kinds(double seconds)
    {
        var duplicates = evidence.Duplicates.Where(d => d.First.Role == Role.Message).ToLookup(d => evidence.Notes[d.First.Number].Kind);
        Line();
        Line("## Messages");
        Line();
        Line("| | published | acknowledged | delivered | dead letters | cancelled | arrived without acknowledgement | attempts | duplicates |");
        Line("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var kind in evidence.Notes.GroupBy(note => note.Kind).OrderBy(kind => kind.Key, StringComparer.Ordinal))
            Row(kind.Key, [.. kind], duplicates[kind.Key].Count());
        Row("**all**", evidence.Notes, duplicates.Sum(kind => kind.Count()));
        Others("callbacks", Role.Callback, Role.FailureCallback);
        Others("of schedules", Role.Scheduled);
        Line();
        Line($"{evidence.Notes.Count(note => note.Acked) / seconds:0} acknowledged and {evidence.Arrivals.Count / seconds:0} requests "
            + "received a second, the time without a server included.");

        void Row(string name, IReadOnlyCollection<Note> notes, int twice) => Line(
            $"| {name} | {notes.Count:#,0} | {notes.Count(n => n.Acked):#,0} | {States(notes, "DELIVERED"):#,0} | {States(notes, "FAILED"):#,0} "
            + $"| {States(notes, "CANCELED"):#,0} | {notes.Count(n => !n.Acked && evidence.Of(n).Any()):#,0} "
            + $"| {notes.Sum(n => evidence.Of(n).Count()):#,0} | {twice:#,0} |");

        void Others(string name, params Role[] roles)
        {
            var chains = evidence.Chains.Where(chain => roles.Contains(chain.Role)).ToArray();
            Line($"| {name} | | | {chains.Count(chain => chain.Attempts.Any(a => a.Delivered)):#,0} | | | "
                + $"| {chains.Sum(chain => chain.Attempts.Count):#,0} | {evidence.Duplicates.Count(d => roles.Contains(d.First.Role)):#,0} |");
        }
    }

    private int States(IEnumerable<Note> notes, string state) =>
        notes.Count(note => note.Id is { } id && evidence.Ledger.States[id].Contains(state));

    private void Duplicates()
    {
        Duplicate[] all = [.. evidence.Duplicates];
        Line();
        Line("## Attempts that were made twice");
        Line();
        Line($"{all.Length:#,0} of {evidence.Arrivals.Count:#,0} requests. In each the first was of a life that was killed, and the answer came");
        Line();
        Line("| before the kill | duplicates |");
        Line("|---|---:|");
        Line($"| not at all: in flight | {all.Count(d => d.WasInFlight):#,0} |");
        var least = 0.0;
        foreach (var most in _gaps)
        {
            Line($"| {least:0} to {most:0} ms | {all.Count(d => !d.WasInFlight && d.GapMs > least && d.GapMs <= most):#,0} |");
            least = most;
        }
        Line($"| longer, or in the same life: not explained | {all.Count(d => !d.IsExplained):#,0} |");
        double[] ages = [.. all.Where(d => d.GapMs > Long && d.Life.ReadyAt > 0).Select(d => d.First.AnsweredAt - d.Life.ReadyAt).Order()];
        if (ages.Length == 0)
            return;
        Line();
        Line($"Where it came more than {Long} ms before, the server had then been ready for {Latency.Quantile(ages, 0.5):0} ms (p50), and for {ages[^1]:0} ms at most.");
    }

    private void Times()
    {
        Line();
        Line("## Recovery");
        Line();
        Line("| ms | p50 | p99 | longest |");
        Line("|---|---:|---:|---:|");
        var overdue = Recovery.Overdue(evidence);
        Row("start to ready", Recovery.Starts(evidence));
        Row("kill to the delivery of the last message that was due (no queue, no flow control)", [.. overdue.Select(kill => kill.Ms)]);
        if (overdue is [.., var longest])
        {
            var note = evidence.Notes[longest.Last.Number];
            Line();
            Line($"The longest: {note}, due after {note.DelayMs} ms, killed {evidence.Lives.Count(l => l.KilledAt > note.AckedAt && l.KilledAt < longest.Last.At)} "
                + $"times between its acknowledgement and its delivery; it came {evidence.Of(note).Count(a => a.At <= longest.Last.At)} times until then.");
        }

        void Row(string what, double[] sorted) => Line(
            $"| {what} | {Of(sorted, 0.5)} | {Of(sorted, 0.99)} | {Of(sorted, 1)} |");

        string Of(double[] sorted, double q) => sorted.Length == 0 ? "–" : $"{Latency.Quantile(sorted, q):#,0}";
    }

    private void Line(string text = "") => _text.Append(text).Append('\n');
}
