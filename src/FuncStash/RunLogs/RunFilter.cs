using System.Collections.Frozen;
using System.Globalization;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.RunLogs;

/// <summary>Which runs a list or a bulk call is about (protocol#run-logs).</summary>
/// <remarks>Values of one name are alternatives; different names must all match.</remarks>
public sealed class RunFilter
{
    private static readonly FrozenDictionary<string, Func<Run, IEnumerable<string?>>> s_fields =
        new Dictionary<string, Func<Run, IEnumerable<string?>>>(StringComparer.Ordinal)
        {
            ["workflowUrl"] = run => [run.Spec.Url, run.Spec.Destination],
            ["workflowRunId"] = run => [run.Spec.RunId],
            ["workflowCreatedAt"] = run => [run.CreatedAt.ToString(CultureInfo.InvariantCulture)],
            ["label"] = run => run.Spec.Labels ?? [],
            ["flowControlKey"] = run => [run.Spec.FlowControl?.Key],
            ["callerIp"] = run => [run.Spec.CallerIp],
            ["callerIP"] = run => [run.Spec.CallerIp],
            ["host"] = run => MessageFilter.HostsOf(run.Spec.Url),
            ["path"] = run => MessageFilter.PathsOf(run.Spec.Url),
            ["url"] = run => [run.Spec.Url, run.Spec.Destination],
            ["state"] = run => [run.Progress.State.Wire()],
            ["failureFunctionState"] = run => [run.Progress.Failure?.State.Wire()],
        }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly List<(Func<Run, IEnumerable<string?>> Field, FrozenSet<string> Values, bool IsPrefix)> _conditions = [];

    /// <summary>The names of all conditions but the dates.</summary>
    public static IEnumerable<string> Names => s_fields.Keys;

    /// <summary>Inclusive bounds in unix milliseconds, of what depends on the list.</summary>
    public long? FromDate { get; private set; }

    public long? ToDate { get; private set; }

    /// <summary>The ids asked for; null for any.</summary>
    public IReadOnlyCollection<string>? RunIds { get; private set; }

    /// <summary>Adds a condition.</summary>
    /// <param name="name">One of <see cref="Names"/>, or <c>fromDate</c> or <c>toDate</c>.</param>
    /// <param name="values">What it may be.</param>
    /// <param name="isPrefix">True when it may also begin with one of them.</param>
    /// <exception cref="QStashException">400 for a date that is no number, or a state that is none.</exception>
    public void Add(string name, IReadOnlyList<string> values, bool isPrefix = false)
    {
        if (name == "fromDate")
        {
            FromDate = MessageFilter.ReadDate(name, values[^1]);
            return;
        }
        if (name == "toDate")
        {
            ToDate = MessageFilter.ReadDate(name, values[^1]);
            return;
        }
        var wanted = MessageFilter.Alternatives(values);
        if (name == "state" && wanted.FirstOrDefault(state => !RunStates.TryParse(state, out _) && !state.Contains(',', StringComparison.Ordinal)) is { } wrong)
            throw QStashException.BadRequest($"invalid state: {wrong}");
        if (name == "workflowRunId")
            RunIds = wanted;
        _conditions.Add((s_fields[name], wanted, isPrefix));
    }

    public bool Matches(Run run)
    {
        foreach (var (field, values, isPrefix) in _conditions)
        {
            if (!field(run).Any(value => value is not null
                && (values.Contains(value) || (isPrefix && values.Any(prefix => value.StartsWith(prefix, StringComparison.Ordinal))))))
                return false;
        }
        return true;
    }

    public bool IsWithin(long time) => time >= (FromDate ?? long.MinValue) && time <= (ToDate ?? long.MaxValue);
}
