using FuncStash.Messages;
using FuncStash.RunLogs;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>Which runs a call is about.</summary>
internal static class RunParameters
{
    private const int MaxListed = 10, MaxCancelled = 100;

    private static readonly string[] s_own =
    [
        .. RunFilter.Names, "fromDate", "toDate", "groupBy", "workflowRuns", "workflowRunIds", "workflowUrlExactMatch", "messageId", "trimBody",
    ];

    private static readonly string[] s_none = [.. MessageFilter.Names.Except(s_own)];

    public static ListParameters OfList(ApiCall call) => new(
        call.Target.Parameters.Where(p => p.Value.Length > 0).Select(p => (p.Key, (string[])[p.Value])), s_own, s_none);

    public static async ValueTask<ListParameters> OfBulkAsync(ApiCall call) => new(await ListParameters.OfBulkAsync(call), s_own, s_none);

    /// <summary>The runs that a list shows (protocol#run-logs).</summary>
    public static async ValueTask<RunQuery> QueryAsync(ListParameters parameters, RunReader reader, CancellationToken cancellation)
    {
        var query = new RunQuery
        {
            Filter = FilterOf(parameters, isPrefix: false),
            Count = parameters.Count(MaxListed, MaxListed),
            After = parameters.Cursor is not { } cursor || LogPosition.IsValid(cursor)
                ? parameters.Cursor
                : throw QStashException.BadRequest($"invalid cursor: {cursor}"),
        };
        if (parameters.Has("workflowRuns"))
            return query with { Filter = new(), Keys = await KeysAsync(parameters.Ids("workflowRuns"), reader, cancellation) };
        if (!parameters.Has("messageId"))
            return query;
        var keys = new List<MessageId>();
        foreach (var id in parameters.Ids("messageId"))
        {
            if (await reader.KeyOfAsync(id, cancellation) is { } key)
                keys.Add(key);
        }
        return query with { Keys = keys };
    }

    /// <summary>The runs that a bulk cancel ends.</summary>
    public static RunQuery ToCancel(ListParameters parameters) => new()
    {
        Filter = FilterOf(parameters, isPrefix: parameters.Values("workflowUrlExactMatch") is not ["true", ..]),
        Count = parameters.Count(MaxCancelled, int.MaxValue),
        IsLive = true,
    };

    /// <param name="parameters">The parameters.</param>
    /// <param name="isPrefix">Whether a workflow URL stands for all that begin with it.</param>
    public static RunFilter FilterOf(ListParameters parameters, bool isPrefix)
    {
        var filter = new RunFilter();
        foreach (var name in RunFilter.Names.Append("fromDate").Append("toDate").Where(parameters.Has))
            filter.Add(name, parameters.Values(name), isPrefix && name == "workflowUrl");
        return filter;
    }

    // Each is ID@TIME, the time being that of the run's start in unix milliseconds.
    private static async ValueTask<IReadOnlyList<MessageId>> KeysAsync(
        IReadOnlyList<string> pairs, RunReader reader, CancellationToken cancellation)
    {
        var keys = new List<MessageId>();
        foreach (var pair in pairs)
        {
            var at = pair.LastIndexOf('@');
            if (at < 0 || !long.TryParse(pair.AsSpan(at + 1), out var createdAt))
                throw QStashException.BadRequest($"invalid workflowRuns: {pair}: must be ID@TIME");
            if (await reader.KeyOfAsync(pair[..at], createdAt, cancellation) is { } key)
                keys.Add(key);
        }
        return keys;
    }
}
