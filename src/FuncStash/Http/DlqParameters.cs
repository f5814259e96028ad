using System.Globalization;
using FuncStash.DeadLetters;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>Which dead letters a call is about (protocol#dead-letter-list, protocol#dead-letter-delete, protocol#dead-letter-retry).</summary>
internal static class DlqParameters
{
    private const int MaxCount = 100;

    // A dead letter is not looked for by its destination's host or path (protocol#dead-letter-list).
    private static readonly string[] s_own = ["dlqIds", "responseStatus", "source", "error"], s_unknown = ["host", "path"];

    public static DeadLetterQuery? OfList(ApiCall call) => QueryOf(new ListParameters(
        call.Target.Parameters.Where(p => p.Value.Length > 0 && p.Key != "api").Select(p => (p.Key, (string[])[p.Value])),
        s_own, s_unknown));

    public static async ValueTask<DeadLetterQuery?> OfBulkAsync(ApiCall call) =>
        QueryOf(new ListParameters(await ListParameters.OfBulkAsync(call), s_own, s_unknown));

    // Null when nothing can match: there are no dead letters of workflows.
    private static DeadLetterQuery? QueryOf(ListParameters parameters)
    {
        var query = new DeadLetterQuery
        {
            Filter = parameters.Filter,
            Count = parameters.Count(MaxCount, MaxCount),
            LatestFirst = !parameters.EarliestFirst(byDefault: true),
            Error = parameters.Values("error") is [var error, ..] ? error : null,
            ResponseStatuses = StatusesOf(parameters.Ids("responseStatus")),
            Ids = parameters.Has("dlqIds")
                ? [.. parameters.Ids("dlqIds").Select(text => DlqId.TryParse(text, out var id) ? id : default)]
                : null,
            After = parameters.Cursor is not { } cursor ? null
                : DlqId.TryParse(cursor, out var after) ? after
                : throw QStashException.BadRequest($"invalid cursor: {cursor}"),
        };
        return parameters.Values("source") switch
        {
            [] => query,
            ["workflow"] => null,
            [var other, ..] => throw QStashException.BadRequest($"invalid source: {other}: must be workflow"),
        };
    }

    internal static HashSet<int> StatusesOf(IEnumerable<string> values) =>
        [.. values.Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status)
            ? status
            : throw QStashException.BadRequest($"invalid responseStatus: {text}: must be a number"))];
}
