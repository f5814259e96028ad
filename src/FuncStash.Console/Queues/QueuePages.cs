using System.Globalization;
using FuncStash.Access;
using FuncStash.Console.Parts;
using FuncStash.Console.Serving;
using FuncStash.Queues;
using FuncStash.Wire;

namespace FuncStash.Console.Queues;

/// <summary>The queues: what is in them, who is next, and what can be done about it.</summary>
internal sealed class QueuePages(QueueService queues, MessageLookup lookup) : IPages
{
    private const int Shown = 10;

    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/queues", AccessLevel.Read, ListAsync),
        new("POST", "/queues", AccessLevel.Full, CreateAsync),
        new("GET", "/queues/{name}", AccessLevel.Read, ShowAsync),
        new("POST", "/queues/{name}/pause", AccessLevel.Full, call => ChangeAsync(call, _ => null, true, "paused")),
        new("POST", "/queues/{name}/resume", AccessLevel.Full, call => ChangeAsync(call, _ => null, false, "resumed")),
        new("POST", "/queues/{name}/parallelism", AccessLevel.Full, call => ChangeAsync(
            call, call => ParallelismOf(call) ?? throw QStashException.BadRequest("parallelism is missing: must be a number of at least 1"), null, "changed")),
        new("GET", "/queues/{name}/delete", AccessLevel.Full, AskAsync),
        new("POST", "/queues/{name}/delete", AccessLevel.Full, DeleteAsync),
    ];

    private Task<PageResult> ListAsync(ConsoleCall call) => ListAsync(call, null);

    private async Task<PageResult> ListAsync(ConsoleCall call, RefusedForm? refused)
    {
        var search = ListSearch.Of("queues", call.Query);
        var page = await ListPart.OfAsync(
            queues.ListAsync(call.Aborted).Where(queue => search.Has(queue.Name)), queue => queue.Name, call.Aborted);
        var lines = await Task.WhenAll(page.Items.Select(queue => queues.LineAsync(queue.Name, 1, call.Aborted).AsTask()));
        return new PageResult.View("Queues", typeof(QueueListPage), new QueueListModel(
            search, new ListPart<(QueueInfo, Admission.GateLine?)>([.. page.Items.Zip(lines)], page.Next), call.Query("done"), refused)) { Status = refused?.Status ?? 200 };
    }

    private async Task<PageResult> CreateAsync(ConsoleCall call)
    {
        var name = call.Field("name")?.Trim() ?? "";
        try
        {
            await queues.UpsertAsync(name, ParallelismOf(call), null);
        }
        catch (QStashException refusal)
        {
            return await ListAsync(call, RefusedForm.Of(call, refusal));
        }
        return new PageResult.Redirect($"queues/{name}?done=saved");
    }

    private Task<PageResult> ShowAsync(ConsoleCall call) => ShowAsync(call, null);

    private async Task<PageResult> ShowAsync(ConsoleCall call, RefusedForm? refused)
    {
        var queue = await FindAsync(call);
        var line = await queues.LineAsync(queue.Name, Shown, call.Aborted) ?? throw NotFound();
        return new PageResult.View(queue.Name, typeof(QueuePage), new QueueModel(
            queue, line, await lookup.FindAsync(line.Inside, call.Aborted), await lookup.FindAsync(line.Next, call.Aborted), call.Query("done"), refused)) { Status = refused?.Status ?? 200 };
    }

    private async Task<PageResult> ChangeAsync(ConsoleCall call, Func<ConsoleCall, int?> parallelism, bool? paused, string done)
    {
        var queue = await FindAsync(call);
        try
        {
            await queues.UpsertAsync(queue.Name, parallelism(call), paused);
        }
        catch (QStashException refusal)
        {
            return await ShowAsync(call, RefusedForm.Of(call, refusal));
        }
        return new PageResult.Redirect($"queues/{queue.Name}?done={done}");
    }

    private async Task<PageResult> AskAsync(ConsoleCall call)
    {
        var queue = await FindAsync(call);
        return new PageResult.View(queue.Name, typeof(ConfirmPage), new ConfirmModel(
            $"Delete queue {queue.Name} and cancel {Words.Count(queue.Lag, "message")}?",
            "What is in it and waits in it is cancelled; what is delayed for it is when it is due. This cannot be undone.",
            "Delete the queue", $"queues/{queue.Name}/delete", "queues/" + queue.Name));
    }

    private async Task<PageResult> DeleteAsync(ConsoleCall call)
    {
        var name = QueueService.Checked(call.Values[0]);
        var found = await queues.GetAsync(name, call.Aborted) is not null;
        await queues.DeleteAsync(name, call.Aborted);
        return new PageResult.Redirect($"queues?done={(found ? "deleted" : "gone")}");
    }

    private async ValueTask<QueueInfo> FindAsync(ConsoleCall call) =>
        await queues.GetAsync(QueueService.Checked(call.Values[0]), call.Aborted) ?? throw NotFound();

    private static QStashException NotFound() => QStashException.NotFound("There is no queue of this name.");

    private static int? ParallelismOf(ConsoleCall call) => call.Field("parallelism") is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw QStashException.BadRequest($"invalid parallelism: {text}: must be a number of at least 1");
}
