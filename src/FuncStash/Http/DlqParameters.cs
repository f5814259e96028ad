using System.Globalization;
using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Settings;
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
            Ids = IdsOf(parameters),
            After = AfterOf(parameters),
        };
        return parameters.Values("source") switch
        {
            [] => query,
            ["workflow"] => null,
            [var other, ..] => throw QStashException.BadRequest($"invalid source: {other}: must be workflow"),
        };
    }

    /// <summary>The letters that are named; null for any.</summary>
    public static IReadOnlyList<DlqId>? IdsOf(ListParameters parameters) => parameters.Has("dlqIds")
        ? [.. parameters.Ids("dlqIds").Select(text => DlqId.TryParse(text, out var id) ? id : default)]
        : null;

    /// <summary>The letter after which a page begins; null for the first.</summary>
    public static DlqId? AfterOf(ListParameters parameters) =>
        parameters.Cursor is not { } cursor ? null
        : DlqId.TryParse(cursor, out var after) ? after
        : throw QStashException.BadRequest($"invalid cursor: {cursor}");

    /// <summary>What the headers of a call that sends dead letters again change. Its <c>Content-Type</c> is that of its own body.</summary>
    public static async ValueTask<PublishSettings> ChangesAsync(ApiCall call, PublishCheck check, FuncStashOptions options, string whyNoCron)
    {
        var settings = new PublishSettingsReader(options);
        foreach (var (name, values) in call.Request.Headers)
        {
            if (PublishSettingsReader.IsSetting(name))
                settings.ReadLines(name, values);
        }
        var changes = settings.ToNewSettings();
        await check.SettingsAsync(changes, whyNoCron, call.Aborted);
        return changes;
    }

    internal static HashSet<int> StatusesOf(IEnumerable<string> values) =>
        [.. values.Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status)
            ? status
            : throw QStashException.BadRequest($"invalid responseStatus: {text}: must be a number"))];
}
