using System.Globalization;
using FuncStash.Access;
using FuncStash.Console.Messages;
using FuncStash.Console.Serving;
using FuncStash.Logs;
using FuncStash.Messages;

namespace FuncStash.Console.Live;

/// <summary>Events as they come. A page asks for those since the latest one it has; the server keeps nothing between.</summary>
internal sealed class LivePages(LogReader log, TimeProvider time) : IPages
{
    private const int Shown = 100, MaxLooked = 3_000;

    // Events of other processes may be stored a little later than they are dated: the page knows which of them it has.
    private const long OverlapMs = 5_000;

    public IEnumerable<PageRoute> Routes => [new("GET", "/live", AccessLevel.Read, ShowAsync)];

    private async Task<PageResult> ShowAsync(ConsoleCall call)
    {
        // It shows every event, and which are still to come: no time of its own, and nothing before.
        var search = MessageSearch.Of(call.Query) with { Since = "", After = null };
        var query = search.ToQuery(time.GetUtcNow().ToUnixTimeMilliseconds()) with
        {
            LatestOnly = false, Count = Shown, MaxLooked = MaxLooked,
        };
        if (call.Query("newer") is { } newer && LogPosition.IsValid(newer))
            query.Filter.Add("fromDate", [(LogPosition.TimeOf(newer) - OverlapMs).ToString(CultureInfo.InvariantCulture)]);
        var page = await log.ListAsync(query, call.Aborted);
        return new PageResult.View("Live", typeof(LivePage), new LiveModel(search, page.Entries));
    }
}
