using System.Collections.Frozen;
using FuncStash.Access;
using FuncStash.Console.Parts;
using FuncStash.Console.Sending;
using FuncStash.Console.Serving;
using FuncStash.Headers;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.UrlGroups;
using FuncStash.Wire;

namespace FuncStash.Console.UrlGroups;

/// <summary>The URL groups: their endpoints, what each answered last, and what can be done about them.</summary>
internal sealed class UrlGroupPages(UrlGroupStore groups, EndpointChanges changes, Publisher publisher, LogReader log) : IPages
{
    // So many attempts of a group are looked at for the last status of its endpoints, and so many events for those.
    private const int MaxOutcomes = 500, MaxLooked = 3_000;

    // An attempt that failed has its status in this event alone: those that follow say only what becomes of the message.
    private static readonly FrozenSet<MessageState> s_outcomes = [MessageState.Delivered, MessageState.Error];

    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/url-groups", AccessLevel.Read, ListAsync),
        new("POST", "/url-groups", AccessLevel.Full, AddAsync),
        new("GET", "/url-groups/{name}", AccessLevel.Read, ShowAsync),
        new("POST", "/url-groups/{name}/add", AccessLevel.Full, AddAsync),
        new("POST", "/url-groups/{name}/remove", AccessLevel.Full, RemoveAsync),
        new("POST", "/url-groups/{name}/test", AccessLevel.Full, TestAsync),
        new("GET", "/url-groups/{name}/delete", AccessLevel.Full, AskAsync),
        new("POST", "/url-groups/{name}/delete", AccessLevel.Full, DeleteAsync),
    ];

    private Task<PageResult> ListAsync(ConsoleCall call) => ListAsync(call, null);

    private async Task<PageResult> ListAsync(ConsoleCall call, RefusedForm? refused)
    {
        var search = ListSearch.Of("url-groups", call.Query);
        var page = await ListPart.OfAsync(
            groups.ListAsync(call.Aborted).Where(group => search.Has(group.Name)), group => group.Name, call.Aborted);
        return new PageResult.View("URL groups", typeof(UrlGroupListPage), new UrlGroupListModel(search, page, call.Query("done"), refused)) { Status = refused?.Status ?? 200 };
    }

    private async Task<PageResult> ShowAsync(ConsoleCall call) => await PageAsync(call, await FindAsync(call), new EndpointForm("", "", null), 200);

    private async Task<PageResult> PageAsync(ConsoleCall call, UrlGroup group, EndpointForm form, int status)
    {
        var latest = new Dictionary<string, LogEntry>(StringComparer.Ordinal);
        var filter = new MessageFilter();
        filter.Add("topicName", [group.Name]);
        var page = await log.ListAsync(
            new LogQuery { Filter = filter, States = s_outcomes, Count = MaxOutcomes, MaxLooked = MaxLooked }, call.Aborted);
        foreach (var entry in page.Entries)
            latest.TryAdd(entry.Message.Url, entry);
        return new PageResult.View(group.Name, typeof(UrlGroupPage), new UrlGroupModel(
            group, [.. group.Endpoints.Take(UrlGroupModel.Shown).Select(endpoint => (endpoint, latest.GetValueOrDefault(endpoint.Url)))],
            form, call.Query("done")))
        {
            Status = status,
        };
    }

    private async Task<PageResult> AddAsync(ConsoleCall call)
    {
        var name = call.Values is [var given, ..] ? given : call.Field("group")?.Trim() ?? "";
        var (endpoint, url) = (call.Field("name")?.Trim(), call.Field("url")?.Trim());
        try
        {
            await changes.AddAsync(name, [EndpointChanges.EndpointOf(endpoint, url)], call.Aborted);
        }
        catch (QStashException refusal) when (call.Values.Count == 0)
        {
            return await ListAsync(call, RefusedForm.Of(call, refusal));
        }
        catch (QStashException refusal) when (ResourceName.IsValid(name))
        {
            return await PageAsync(call, await FindAsync(call), new EndpointForm(endpoint ?? "", url ?? "", refusal.Message), refusal.Status);
        }
        return new PageResult.Redirect($"url-groups/{name}?done=added");
    }

    private async Task<PageResult> RemoveAsync(ConsoleCall call)
    {
        // One that is gone may be so by the first click of two, and its group with it.
        var name = EndpointChanges.Checked(call.Values[0]);
        IReadOnlyList<(string?, string?)> meant = [(call.Field("name"), call.Field("url"))];
        var before = await groups.GetAsync(name, call.Aborted);
        await changes.RemoveAsync(name, meant, call.Aborted);
        var done = before is not null && before.Without(meant).Endpoints.Count < before.Endpoints.Count ? "removed" : "gone";
        return new PageResult.Redirect($"url-groups{(await groups.GetAsync(name, call.Aborted) is null ? "" : "/" + name)}?done={done}");
    }

    private async Task<PageResult> TestAsync(ConsoleCall call)
    {
        var group = await FindAsync(call);
        var settings = new PublishSettings
        {
            Labels = ["console-test"], Retries = 0, Header = HeaderMap.Empty.With("Content-Type", "application/json"),
        };
        var sent = await publisher.PublishAsync(
            new PublishRequest(group.Name, settings, """{"test":true}"""u8.ToArray())
            {
                CallerIp = call.Call.CallerIp, Once = Once.Of(call, "test|" + group.Name),
            },
            call.Aborted);
        return Once.After(sent, "url-groups/" + group.Name);
    }

    private async Task<PageResult> AskAsync(ConsoleCall call)
    {
        var group = await FindAsync(call);
        return new PageResult.View(group.Name, typeof(ConfirmPage), new ConfirmModel(
            $"Delete URL group {group.Name} with {Words.Count(group.Endpoints.Count, "endpoint")}?",
            "What is published to it from then on is refused, and so are the runs of schedules. Its messages stay. This cannot be undone.",
            "Delete the URL group", $"url-groups/{group.Name}/delete", "url-groups/" + group.Name));
    }

    private async Task<PageResult> DeleteAsync(ConsoleCall call)
    {
        var name = EndpointChanges.Checked(call.Values[0]);
        var found = await groups.GetAsync(name, call.Aborted) is not null;
        await groups.DeleteAsync(name, call.Aborted);
        return new PageResult.Redirect($"url-groups?done={(found ? "deleted" : "gone")}");
    }

    private async ValueTask<UrlGroup> FindAsync(ConsoleCall call) =>
        await groups.GetAsync(EndpointChanges.Checked(call.Values[0]), call.Aborted)
            ?? throw QStashException.NotFound("There is no URL group of this name.");
}
