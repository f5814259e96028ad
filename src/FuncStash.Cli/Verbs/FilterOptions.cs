using System.CommandLine;
using System.Globalization;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary>The filters of the API, as options: values of one are alternatives, different ones must all match (protocol#filters).</summary>
internal sealed class FilterOptions
{
    private readonly Option<string[]> _to = Many("--to", "URL", "Destination URLs");
    private readonly Option<string[]> _group = Many("--group", "NAME", "URL groups");
    private readonly Option<string[]> _schedule = Many("--schedule", "ID", "Schedules");
    private readonly Option<string[]> _queue = Many("--queue", "NAME", "Queues");
    private readonly Option<string[]> _label = Many("--label", "TEXT", "Labels");
    private readonly Option<string[]> _flowControl = Many("--flow-control", "KEY", "Flow-control keys");
    private readonly Option<string[]> _callerIp = Many("--caller-ip", "ADDRESS", "Addresses of publishers");
    private readonly Option<string?> _since = new("--since") { HelpName = "TIME", Description = "The earliest time, or how long ago, such as 2h" };
    private readonly Option<string?> _until = new("--until") { HelpName = "TIME", Description = "The latest time, or how long ago" };
    private readonly Option<string[]> _message = Many("--message", "ID", "Messages");
    private readonly Option<string[]> _host = Many("--host", "HOST", "Hosts of destinations, with their ports or without");
    private readonly Option<string[]> _path = Many("--path", "PATH", "Paths of destinations");
    private readonly Option<int[]> _status = WholeNumbers.Many("--status", "HTTP statuses of the last attempt; 0 for no answer");
    private readonly Option<string?> _error = new("--error") { HelpName = "TEXT", Description = "The error of the last attempt, the whole of it; QStash has none" };
    private readonly Option<string?> _state = new("--state") { HelpName = "STATE", Description = "What happened: created, active, retry, error, delivered, failed, …" };

    public FilterOptions() => _state.CompletionSources.Add([.. States.Select(state => state.ToString().ToLowerInvariant())]);

    private static IEnumerable<LogState> States => Enum.GetValues<LogState>().Where(state => state != LogState.Unknown);

    private Option[] Common => [_to, _group, _schedule, _queue, _label, _flowControl, _callerIp, _since, _until];

    /// <summary>Those that dead letters have.</summary>
    public Option[] OfDeadLetters => [.. Common, _message, _status, _error];

    /// <summary>Those that the log has.</summary>
    public Option[] OfLog => [.. Common, _message, _state, _host, _path];

    /// <summary>Those that a bulk cancel has.</summary>
    public Option[] OfMessages => [.. Common, _host, _path];

    /// <exception cref="UsageException">A value cannot be.</exception>
    public DlqFilter DeadLetters(Invocation run) => new()
    {
        Urls = run.Many(_to), UrlGroups = run.Many(_group), ScheduleIds = run.Many(_schedule), QueueNames = run.Many(_queue),
        Labels = run.Many(_label), FlowControlKeys = run.Many(_flowControl), CallerIps = run.Many(_callerIp),
        FromDate = Times.Before(run.Of(_since), run.Terminal.Time), ToDate = Times.Before(run.Of(_until), run.Terminal.Time),
        MessageId = run.Many(_message) switch
        {
            null => null,
            [var one] => one,
            _ => throw new UsageException("dead letters are found by one --message at a time"),
        },
        ResponseStatuses = run.Of(_status) is { Length: > 0 } statuses ? statuses : null, Error = run.Of(_error),
    };

    /// <exception cref="UsageException">A value cannot be.</exception>
    public LogFilter Log(Invocation run) => new()
    {
        Urls = run.Many(_to), UrlGroups = run.Many(_group), ScheduleIds = run.Many(_schedule), QueueNames = run.Many(_queue),
        Labels = run.Many(_label), FlowControlKeys = run.Many(_flowControl), CallerIps = run.Many(_callerIp),
        FromDate = Times.Before(run.Of(_since), run.Terminal.Time), ToDate = Times.Before(run.Of(_until), run.Terminal.Time),
        MessageIds = run.Many(_message), Hosts = run.Many(_host), Paths = run.Many(_path),
        State = run.Of(_state) is { } state ? StateOf(state) : null,
    };

    /// <exception cref="UsageException">A value cannot be.</exception>
    public CancelFilter Messages(Invocation run) => new()
    {
        Urls = run.Many(_to), UrlGroups = run.Many(_group), ScheduleIds = run.Many(_schedule), QueueNames = run.Many(_queue),
        Labels = run.Many(_label), FlowControlKeys = run.Many(_flowControl), CallerIps = run.Many(_callerIp),
        FromDate = Times.Before(run.Of(_since), run.Terminal.Time), ToDate = Times.Before(run.Of(_until), run.Terminal.Time),
        Hosts = run.Many(_host), Paths = run.Many(_path),
    };

    /// <summary>A state by its name, with the protocol's underscores or without.</summary>
    private static LogState StateOf(string text) =>
        Enum.TryParse<LogState>(text.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var state)
            && !int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _) && state != LogState.Unknown
            ? state
            : throw new UsageException($"--state {text}: there are {string.Join(", ", States.Select(s => s.ToString().ToLowerInvariant()))}");

    private static Option<string[]> Many(string name, string value, string description) =>
        new(name) { HelpName = value, Description = $"{description}; may be repeated" };
}
