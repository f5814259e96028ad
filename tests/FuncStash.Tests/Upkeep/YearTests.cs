using FuncStash.Upkeep;

namespace FuncStash.Tests.Upkeep;

/// <summary>Whatever is kept has somebody who ends it: after a year there is no more of it than after a season, and at last nothing.</summary>
public sealed class YearTests(ITestOutputHelper output) : IDisposable
{
    private const int Season = 60, Year = 365;

    private static readonly string s_big = new('x', 300_000);

    private readonly string _folder = Directory.CreateTempSubdirectory("funcstash-").FullName;

    private string File => Path.Combine(_folder, "store.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_year_leaves_no_more_behind_than_a_season_and_a_quiet_time_nothing()
    {
        await using var service = new TestService(new() { LogRetention = TimeSpan.FromDays(3), DlqRetention = TimeSpan.FromDays(10) }, path: File);
        await using var destination = await TestDestination.StartAsync();
        await using var endpoint = await WorkflowEndpoint.StartAsync(service);
        destination.Status = (path, retried) => path.Contains("fails", StringComparison.Ordinal) || (path.Contains("later", StringComparison.Ordinal) && retried == 0) ? 500 : 200;
        var empty = await StoredRows.CountAsync(File);
        var season = empty;
        for (var day = 1; day <= Year; day++)
        {
            if (day % 3 == 0)
                await LiveADayAsync(service, destination, endpoint, day);
            await PassADayAsync(service);
            if (day == Season)
                season = await StoredRows.CountAsync(File);
        }
        var year = await StoredRows.CountAsync(File);
        foreach (var (kind, count) in year)
        {
            output.WriteLine($"{kind}: {empty.GetValueOrDefault(kind)} at first, {season.GetValueOrDefault(kind)} after a season, {count} after a year");
            Assert.True(count <= season.GetValueOrDefault(kind) * 1.1 + 2, $"{kind} grows: {season.GetValueOrDefault(kind)} after a season, {count} after a year");
        }

        for (var day = 0; day < 30; day++)
            await PassADayAsync(service);
        var left = (await StoredRows.CountAsync(File)).Where(pair => pair.Value > empty.GetValueOrDefault(pair.Key)).Select(pair => $"{pair.Key}: {pair.Value}");
        Assert.Equal([], left);
    }

    private static async Task LiveADayAsync(TestService service, TestDestination destination, WorkflowEndpoint endpoint, int day)
    {
        var fine = destination.Url($"/fine-{day}");
        for (var n = 0; n < 3; n++)
            await service.PublishAsync(fine, "", ("Upstash-Label", $"label-{day}-{n}"));
        await service.PublishAsync(fine, s_big);
        await service.PublishAsync(destination.Url($"/fails-{day}"), s_big, ("Upstash-Retries", "0"), ("Upstash-Failure-Callback", fine));
        await service.PublishAsync(destination.Url($"/later-{day}"), "", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "3600000"), ("Upstash-Callback", fine));
        await service.PublishAsync(fine, s_big, ("Upstash-Delay", "6d"));
        await service.PublishAsync(fine, "", ("Upstash-Deduplication-Id", $"only-{day}"));
        await service.PublishAsync(fine, "", ("Upstash-Flow-Control-Key", $"key-{day}"), ("Upstash-Flow-Control-Value", "rate=1,period=1d,parallelism=1"));
        await service.PublishAsync(fine, "", ("Upstash-Flow-Control-Key", $"key-{day}"), ("Upstash-Flow-Control-Value", "rate=1,period=1d,parallelism=1"));
        await service.CallAsync("POST", $"/v2/enqueue/queue-{day}/{fine}", "");
        await service.CallAsync("POST", $"/v2/topics/group-{day}/endpoints", $$"""{"endpoints":[{"url":"{{fine}}"}]}""");
        await service.CallAsync("POST", $"/v2/publish/group-{day}", "");
        await service.CallAsync("POST", $"/v2/schedules/{fine}", "", null, ("Upstash-Cron", "0 * * * *"), ("Upstash-Schedule-Id", $"schedule-{day}"));
        var cancelled = await service.PublishAsync(fine, s_big, ("Upstash-Delay", "4d"));
        await service.CallAsync("DELETE", "/v2/messages/" + cancelled);
        await endpoint.StartAsync($"wfr_ends-{day}", "{}");
        await endpoint.SubmitAsync($"wfr_ends-{day}", WorkflowEndpoint.Step(1, "done"));
        await endpoint.StartAsync($"wfr_waits-{day}", "{}");
        await endpoint.WaitAsync($"wfr_waits-{day}", 1, $"event-{day}", "2d");
        // Its endpoint answers, and says no more.
        await endpoint.StartAsync($"wfr_hangs-{day}", s_big);
        await endpoint.StartAsync($"wfr_invokes-{day}", "{}");
        await endpoint.InvokeAsync($"wfr_invokes-{day}", 1, $"wfr_invoked-{day}", s_big);
        await endpoint.StartAsync($"wfr_again-{day}", s_big);
        await endpoint.TriggerAsync($"wfr_again-{day}", s_big, ("Upstash-Workflow-Trigger-By-Sdk", "true"));
        await endpoint.StartAsync($"wfr_kept-{day}", "{}");
        await service.CallAsync("POST", $"/v2/notify/wfr_kept-{day}/event-{day}", s_big);
        await endpoint.WaitAsync($"wfr_kept-{day}", 1, $"event-{day}", "2d");
        await service.DeliverDueAsync();
        await endpoint.FinishAsync($"wfr_ends-{day}", "\"done\"");
        // What a user has made stays until the user removes it.
        await service.CallAsync("DELETE", $"/v2/topics/group-{day}");
        await service.CallAsync("DELETE", $"/v2/queues/queue-{day}");
        await service.CallAsync("DELETE", $"/v2/schedules/schedule-{day}");
    }

    private static async Task PassADayAsync(TestService service)
    {
        service.Time.Advance(TimeSpan.FromDays(1));
        await service.DeliverDueAsync();
        await service.Get<UpkeepService>().RunAsync();
    }
}
