using FuncStash.Access;
using FuncStash.Admission;
using FuncStash.Console.Parts;
using FuncStash.Console.Serving;
using FuncStash.FlowControl;
using FuncStash.Wire;

namespace FuncStash.Console.FlowKeys;

/// <summary>The flow-control keys: their limits, how far they are used, who is next, and what can be done about it.</summary>
internal sealed class FlowKeyPages(FlowControlService keys, MessageLookup lookup) : IPages
{
    private const int Shown = 10;

    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/flow-control", AccessLevel.Read, ListAsync),
        new("GET", "/flow-control/{key}", AccessLevel.Read, ShowAsync),
        new("POST", "/flow-control/{key}/pause", AccessLevel.Full, call => ChangeAsync(call, "paused", key => keys.SetPausedAsync(key, true))),
        new("POST", "/flow-control/{key}/resume", AccessLevel.Full, call => ChangeAsync(call, "resumed", key => keys.SetPausedAsync(key, false))),
        new("POST", "/flow-control/{key}/pin", AccessLevel.Full, PinAsync),
        new("POST", "/flow-control/{key}/unpin", AccessLevel.Full, call => ChangeAsync(
            call, "unpinned", key => keys.UnpinAsync(key, call.Field("parallelism") == "true", call.Field("rate") == "true"))),
        new("POST", "/flow-control/{key}/reset", AccessLevel.Full, call => ChangeAsync(call, "reset", keys.ResetRateAsync)),
    ];

    private async Task<PageResult> ListAsync(ConsoleCall call)
    {
        var search = ListSearch.Of("flow-control", call.Query);
        var page = await ListPart.OfAsync(
            keys.ListAsync(search.Query, call.Aborted).Where(key => search.Has(key.Key)), key => key.Key, call.Aborted);
        var lines = await Task.WhenAll(page.Items.Select(key => keys.LineAsync(key.Key, 1, call.Aborted).AsTask()));
        return new PageResult.View("Flow control", typeof(FlowKeyListPage), new FlowKeyListModel(
            search, new ListPart<(FlowControlInfo, GateLine?)>([.. page.Items.Zip(lines)], page.Next)));
    }

    private Task<PageResult> ShowAsync(ConsoleCall call) => ShowAsync(call, null);

    private async Task<PageResult> ShowAsync(ConsoleCall call, RefusedForm? refused)
    {
        var key = await FindAsync(call);
        var line = await keys.LineAsync(key.Key, Shown, call.Aborted) ?? throw NotFound();
        return new PageResult.View(key.Key, typeof(FlowKeyPage), new FlowKeyModel(
            key, line, await lookup.FindAsync(line.Inside, call.Aborted), await lookup.FindAsync(line.Next, call.Aborted), call.Query("done"), refused)) { Status = refused?.Status ?? 200 };
    }

    private async Task<PageResult> PinAsync(ConsoleCall call)
    {
        try
        {
            var limits = PinnedLimits.Parse(call.Field("parallelism"), call.Field("rate"), call.Field("period"));
            return await ChangeAsync(call, "pinned", key => keys.PinAsync(key, limits.Parallelism, limits.Rate, limits.PeriodSeconds));
        }
        catch (QStashException refusal) when (refusal.Status == 400)
        {
            return await ShowAsync(call, RefusedForm.Of(call, refusal));
        }
    }

    // Only of a key that is there: a page of one that is not cannot have been looked at.
    private async Task<PageResult> ChangeAsync(ConsoleCall call, string done, Func<string, Task> change)
    {
        var key = await FindAsync(call);
        await change(key.Key);
        return new PageResult.Redirect($"flow-control/{key.Key}?done={done}");
    }

    private async ValueTask<FlowControlInfo> FindAsync(ConsoleCall call) =>
        await keys.GetAsync(FlowControlService.Checked(call.Values[0]), call.Aborted) ?? throw NotFound();

    private static QStashException NotFound() =>
        QStashException.NotFound("There is no such flow-control key: one that nobody uses is forgotten after an hour.");
}
