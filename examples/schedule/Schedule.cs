using FuncStash.Client;

namespace FuncStash.Examples;

/// <summary>Each night at three, by the clock of Berlin.</summary>
internal static class Schedule
{
    public static async Task RunAsync(string url)
    {
        var client = new QStashClient(); // reads QSTASH_URL and QSTASH_TOKEN

        var scheduleId = await client.Schedules.CreateAsync(
            url, "CRON_TZ=Europe/Berlin 0 3 * * *", MessageBody.FromJson(new { report = "yesterday" }),
            new() { ScheduleId = "nightly-report" }); // run again, it changes this schedule and makes no second one
        Console.WriteLine(scheduleId);
    }
}
