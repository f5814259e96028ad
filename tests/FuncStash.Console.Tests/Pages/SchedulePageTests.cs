using FuncStash.Console.Tests.Running;
using FuncStash.Schedules;

namespace FuncStash.Console.Tests.Pages;

public sealed class SchedulePageTests
{
    [Fact]
    public async Task It_shows_the_next_runs_in_the_schedules_zone_and_how_the_last_one_went()
    {
        await using var service = Consoles.Start();
        await using var destination = await StandIn.StartAsync(_ => Task.CompletedTask);
        await MakeAsync(service, destination.Url + "/report", "CRON_TZ=Europe/Oslo 0 9 * * *");
        var browser = new Browser(service);
        Assert.Contains("It has not run yet.", (await browser.GetAsync("/console/schedules/nightly")).Text, StringComparison.Ordinal);

        // 09:00 in Oslo is 08:00 UTC in winter and 07:00 in summer, which begins on the 29th.
        service.Time.SetUtcNow(new DateTimeOffset(2026, 3, 27, 8, 0, 0, TimeSpan.Zero));
        await service.Get<ScheduleTicker>().TickAsync(service.Time.GetUtcNow());
        await service.DeliverDueAsync();
        var page = await browser.GetAsync("/console/schedules/nightly");

        Assert.Contains("Sat 2026-03-28 09:00 +01:00", page.Text, StringComparison.Ordinal);
        Assert.Contains("Sun 2026-03-29 09:00 +02:00", page.Text, StringComparison.Ordinal);
        Assert.Contains("2026-03-29 07:00:00.000 UTC", page.Text, StringComparison.Ordinal);
        Assert.Equal(5, page.Text.Split(" 09:00 +").Length - 1);
        Assert.Contains("delivered", page.Text.Split("Last run")[1].Split("Its messages")[0], StringComparison.Ordinal);
        Assert.Contains("/report", page.Text.Split("Its messages")[1], StringComparison.Ordinal);
        Assert.Contains("nightly", (await browser.GetAsync("/console/schedules?q=OSLO")).Text, StringComparison.Ordinal);
        Assert.Contains("No schedule fits", (await browser.GetAsync("/console/schedules?q=Lima")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_paused_resumed_run_now_and_deleted()
    {
        await using var service = Consoles.Start();
        await MakeAsync(service, "https://example.com/report", "0 9 * * *");
        var browser = new Browser(service);

        Assert.Contains("Paused.", (await browser.FollowAsync("/console/schedules/nightly/pause")).Text, StringComparison.Ordinal);
        Assert.True((bool)(await service.CallAsync("GET", "/v2/schedules/nightly")).Json["isPaused"]!);
        // Also while it is paused, and its times stay as they are.
        await browser.FollowAsync("/console/schedules/nightly/run");
        var schedule = (await service.CallAsync("GET", "/v2/schedules/nightly")).Json;
        Assert.Null(schedule["lastScheduleTime"]);
        Assert.Single((await service.CallAsync("GET", "/v2/logs?scheduleId=nightly")).Json["logs"]!.AsArray());
        await browser.FollowAsync("/console/schedules/nightly/resume");
        Assert.False((bool)(await service.CallAsync("GET", "/v2/schedules/nightly")).Json["isPaused"]!);

        Assert.Contains("Delete schedule nightly?", (await browser.GetAsync("/console/schedules/nightly/delete")).Text, StringComparison.Ordinal);
        Assert.Contains("Deleted.", (await browser.FollowAsync("/console/schedules/nightly/delete")).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await service.CallAsync("GET", "/v2/schedules/nightly")).Status);
        Assert.Equal(404, (await browser.PostAsync("/console/schedules/nightly/run")).Status);
    }

    [Fact]
    public async Task Many_are_shown_in_pages()
    {
        await using var service = Consoles.Start();
        for (var i = 0; i < 60; i++)
            await MakeAsync(service, "https://example.com/" + i, "0 9 * * *", $"nightly-{i}");
        var browser = new Browser(service);

        var first = await browser.GetAsync("/console/schedules");
        Assert.Equal(50, first.Html.Split("data-key=").Length - 1);
        var next = await browser.GetAsync(first.Links("/console/schedules").Single(link => link.Contains("after=", StringComparison.Ordinal)));
        Assert.Equal(10, next.Html.Split("data-key=").Length - 1);
    }

    private static async Task MakeAsync(TestService service, string url, string cron, string id = "nightly") => Assert.Equal(
        200, (await service.CallAsync("POST", "/v2/schedules/" + url, "hello", null, ("Upstash-Cron", cron), ("Upstash-Schedule-Id", id))).Status);
}
