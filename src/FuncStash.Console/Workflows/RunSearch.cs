using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.RunLogs;
using FuncStash.Runs;

namespace FuncStash.Console.Workflows;

/// <summary>Which runs the list shows, as it stands in its address.</summary>
public sealed record RunSearch
{
    public static readonly IReadOnlyList<(string Value, string Name, RunState? State)> Groups =
    [
        ("", "All", null), ("running", "Running", RunState.Started), ("success", "Succeeded", RunState.Success),
        ("failed", "Failed", RunState.Failed), ("cancelled", "Cancelled", RunState.Canceled),
    ];

    /// <summary>How many runs are looked at for a page.</summary>
    private const int MaxLooked = 3_000;

    /// <summary>The id of a run, or the beginning of a workflow's URL.</summary>
    public string Text { get; init; } = "";

    public string State { get; init; } = "";

    public string? After { get; init; }

    public static RunSearch Of(Func<string, string?> value) => new()
    {
        Text = value("q")?.Trim() ?? "",
        State = Groups.Select(group => group.Value).FirstOrDefault(state => state == value("state")) ?? "",
        After = value("after") is { } after && LogPosition.IsValid(after) ? after : null,
    };

    /// <summary>The runs of one id, the latest first.</summary>
    public static RunQuery Named(string id)
    {
        var filter = new RunFilter();
        filter.Add("workflowRunId", [id]);
        return new RunQuery { Filter = filter };
    }

    public string Url
    {
        get
        {
            (string Name, string? Value)[] all = [("q", Text), ("state", State), ("after", After)];
            var parameters = string.Join('&', all.Where(p => !string.IsNullOrEmpty(p.Value)).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"));
            return parameters.Length == 0 ? "workflows" : "workflows?" + parameters;
        }
    }

    public RunQuery ToQuery(int count)
    {
        var filter = new RunFilter();
        if (Text.Length > 0)
            filter.Add(Text.Contains("://", StringComparison.Ordinal) ? "workflowUrl" : "workflowRunId", [Text], isPrefix: true);
        if (Groups.First(group => group.Value == State).State is { } state)
            filter.Add("state", [state.Wire()]);
        return new RunQuery { Filter = filter, After = After, Count = count, MaxLooked = MaxLooked };
    }
}
