using System.Globalization;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Runs;

/// <summary>Where runs lie in the table of messages, and how they become rows.</summary>
/// <remarks>
/// A run's rows lie in the partition of its messages. In it, newest first: <c>r|</c> runs under way, <c>q|</c> runs that
/// have ended. Then, each followed by the run's key: <c>s|</c> its entries by step, <c>v|</c> events that came before
/// their wait, <c>o|</c> what it owes to others.
/// </remarks>
internal static class RunRows
{
    public const string Table = MessageRows.Table;
    public const string Live = "r|", Ended = "q|", Step = "s|", Event = "v|", Debts = "o|";

    /// <summary>Bodies up to this many bytes stay in the row.</summary>
    public const int InlineBytes = MessageRows.InlineBodyBytes;

    public static string Partition(MessageId key) => MessageRows.Partition(key);

    public static string RunKey(string kind, MessageId key) => MessageRows.Key(kind, key);

    public static string StepPrefix(MessageId key) => $"{Step}{key.Text}|";

    public static string StepRow(MessageId key, StepKey step) => StepPrefix(key) + step;

    public static string EventPrefix(MessageId key) => $"{Event}{key.Text}|";

    public static string EventRow(MessageId key, int number) => EventPrefix(key) + number.ToString("D6", CultureInfo.InvariantCulture);

    public static string DebtPrefix(MessageId key) => $"{Debts}{key.Text}|";

    public static Entity ToRow(Run run)
    {
        var progress = run.Progress;
        var values = new Dictionary<string, object>(5)
        {
            ["Spec"] = run.SpecBytes ?? RunJson.Write(run.Spec),
            ["Progress"] = RunJson.Write(progress.Result is null ? progress : progress with { Result = null }),
        };
        if (progress.Result is { } result)
            values["Result"] = result;
        if (progress.EndedAt is { } ended)
            values["EndedAt"] = ended;
        return new Entity(Partition(run.Key), RunKey(run.Ended ? Ended : Live, run.Key), values);
    }

    /// <param name="row">A row of a run.</param>
    /// <param name="key">The run's key.</param>
    /// <param name="known">What it was started with, where that need not be parsed again.</param>
    public static Run FromRow(Entity row, MessageId key, RunSpec? known)
    {
        var spec = row.Bytes("Spec")!;
        var progress = RunJson.ReadProgress(row.Bytes("Progress")!) with { Result = row.Bytes("Result") };
        return new Run(key, known ?? RunJson.ReadSpec(spec), progress, row.ETag) { SpecBytes = spec };
    }

    public static Entity ToRow(MessageId key, RunStep step)
    {
        var values = new Dictionary<string, object>(8)
        {
            ["MessageId"] = step.MessageId,
            ["At"] = step.At,
            ["Size"] = step.Size,
        };
        if (step.Position is { } position)
            values["Position"] = (long)position;
        if (step.DueAt is { } dueAt)
            values["DueAt"] = dueAt;
        if (step.Concurrent > 1)
            values["Concurrent"] = (long)step.Concurrent;
        if (step.BodyName is { } name)
            values["BodyName"] = name;
        else if (step.Body.Length > 0)
            values["Body"] = step.Body;
        if (step.Detail is { } detail)
            values["Detail"] = RunJson.Write(detail);
        return new Entity(Partition(key), StepRow(key, step.Key), values);
    }

    public static RunStep StepFromRow(Entity row) => new(KeyOf(row), row.Text("MessageId")!, row.Number("At")!.Value)
    {
        Position = (int?)row.Number("Position"),
        DueAt = row.Number("DueAt"),
        Concurrent = (int)(row.Number("Concurrent") ?? 1),
        Body = row.Bytes("Body") ?? [],
        BodyName = row.Text("BodyName"),
        Size = row.Number("Size") ?? 0,
        Detail = row.Bytes("Detail") is { } detail ? RunJson.ReadDetail(detail) : null,
        ETag = row.ETag,
    };

    public static Entity ToRow(MessageId key, KeptEvent kept)
    {
        var values = new Dictionary<string, object> { ["Event"] = kept.Event.Event };
        if (kept.BodyName is { } name)
            values["BodyName"] = name;
        else
            values["Body"] = kept.Data;
        return new Entity(Partition(key), EventRow(key, kept.Event.Number), values);
    }

    public static StepKey KeyOf(Entity row) => StepKey.Parse(row.RowKey[(row.RowKey.LastIndexOf('|') + 1)..]);

    public static Entity ToRow(MessageId key, Debt debt)
    {
        var values = new Dictionary<string, object> { ["Debt"] = RunJson.Write(debt) };
        if (debt.BodyName is { } name)
            values["BodyName"] = name;
        return new Entity(Partition(key), DebtPrefix(key) + debt.Key, values);
    }
}
