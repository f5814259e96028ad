using System.Runtime.CompilerServices;
using FuncStash.Access;
using FuncStash.Console.Parts;
using FuncStash.Console.Sending;
using FuncStash.Console.Serving;
using FuncStash.Headers;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Schedules;
using FuncStash.Wire;

namespace FuncStash.Console.Schedules;

/// <summary>The schedules: when each fires next, how it went, and what can be done about it.</summary>
internal sealed class SchedulePages(
    ScheduleStore schedules, Scheduler scheduler, LastRun lastRun, LogReader log, TimeProvider time) : IPages
{
    private const int Times = 5, Recent = 10, MaxLooked = 3_000;

    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/schedules", AccessLevel.Read, ListAsync),
        new("GET", "/schedules/{id}", AccessLevel.Read, ShowAsync),
        new("POST", "/schedules/{id}/pause", AccessLevel.Full, call => ChangeAsync(call, "paused", async id => await scheduler.PauseAsync(id, call.Aborted))),
        new("POST", "/schedules/{id}/resume", AccessLevel.Full, call => ChangeAsync(call, "resumed", async id => await scheduler.ResumeAsync(id, call.Aborted))),
        new("POST", "/schedules/{id}/run", AccessLevel.Full, RunAsync),
        new("GET", "/schedules/{id}/delete", AccessLevel.Full, AskAsync),
        new("POST", "/schedules/{id}/delete", AccessLevel.Full, DeleteAsync),
    ];

    private async Task<PageResult> ListAsync(ConsoleCall call)
    {
        var search = ListSearch.Of("schedules", call.Query);
        var page = await ListPart.OfAsync(FindAsync(search, call.Aborted), schedule => schedule.Id, call.Aborted);
        return new PageResult.View("Schedules", typeof(ScheduleListPage), new ScheduleListModel(search, page, call.Query("done")));
    }

    // By id, cron and destination. In the order of their creation, so that a page begins behind the one that ended the last.
    private async IAsyncEnumerable<Schedule> FindAsync(ListSearch search, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var listed = await schedules.ListAsync(cancellation);
        foreach (var each in search.After is { } after ? listed.SkipWhile(each => each.Id != after).Skip(1) : listed)
        {
            if (await schedules.LookAsync(each.Id, cancellation) is { } schedule
                && new[] { schedule.Id, schedule.Spec.Cron, schedule.Spec.Destination }.Any(
                    text => text.Contains(search.Query, StringComparison.OrdinalIgnoreCase)))
                yield return schedule;
        }
    }

    private async Task<PageResult> ShowAsync(ConsoleCall call)
    {
        var id = Checked(call);
        var schedule = await schedules.GetAsync(id, call.Aborted) ?? throw NotFound();
        var settings = schedule.Spec.Settings;
        var redact = settings.Redact is { } text && RedactFields.TryParse(text, out var fields, out _) ? fields : null;
        var body = await schedules.BodyAsync(schedule, call.Aborted) ?? [];
        var filter = new MessageFilter();
        filter.Add("scheduleId", [id]);
        var recent = await log.ListAsync(
            new LogQuery { Filter = filter, Count = Recent, LatestOnly = true, MaxLooked = MaxLooked }, call.Aborted);
        return new PageResult.View(id, typeof(SchedulePage), new ScheduleModel(
            schedule,
            [.. PublishSettingsWriter.Write(settings with { Header = HeaderMap.Empty })],
            redact is null ? settings.Header : settings.Header.Select(redact.Header),
            redact is { Body: true } ? Payload.Redacted(body) : Payload.Of(body, all: call.Query("body") == "all"),
            schedule.Times.NextAfter(time.GetUtcNow().ToUnixTimeMilliseconds(), Times),
            await lastRun.StatesAsync(schedule, call.Aborted), recent, call.Query("done")));
    }

    private static async Task<PageResult> ChangeAsync(ConsoleCall call, string done, Func<string, Task<bool>> change)
    {
        var id = Checked(call);
        return await change(id) ? new PageResult.Redirect($"schedules/{id}?done={done}") : throw NotFound();
    }

    private async Task<PageResult> RunAsync(ConsoleCall call)
    {
        var id = Checked(call);
        var sent = await scheduler.RunAsync(id, call.Call.CallerIp, Once.Of(call, "run|" + id), call.Aborted) ?? throw NotFound();
        return Once.After(sent, "schedules/" + id);
    }

    private async Task<PageResult> AskAsync(ConsoleCall call)
    {
        var id = Checked(call);
        if (await schedules.LookAsync(id, call.Aborted) is null)
            throw NotFound();
        return new PageResult.View(id, typeof(ConfirmPage), new ConfirmModel(
            $"Delete schedule {id}?", "It publishes nothing any more. The messages that it has published stay. This cannot be undone.",
            "Delete the schedule", $"schedules/{id}/delete", "schedules/" + id));
    }

    // One that is gone may be so by the first click of two.
    private async Task<PageResult> DeleteAsync(ConsoleCall call)
    {
        var found = await scheduler.DeleteAsync(Checked(call), call.Aborted);
        return new PageResult.Redirect($"schedules?done={(found ? "deleted" : "gone")}");
    }

    // What cannot be an id is one that no schedule has.
    private static string Checked(ConsoleCall call) => ResourceName.IsValid(call.Values[0]) ? call.Values[0] : throw NotFound();

    private static QStashException NotFound() => QStashException.NotFound("There is no schedule of this id.");
}
