using FuncStash.Messages;
using FuncStash.Upkeep;
using FuncStash.Waiting;

namespace FuncStash.Tests.Messages;

public sealed class OldestDueTests
{
    [Fact]
    public async Task One_that_waits_for_days_is_found_with_when_it_was_due()
    {
        await using var service = new TestService();
        await service.CallAsync("POST", "/v2/queues", """{"queueName":"orders","paused":true}""");
        var id = (string)(await service.CallAsync("POST", "/v2/enqueue/orders/https://example.com/", "", null, ("Upstash-Delay", "1h"))).Json["messageId"]!;
        var due = service.Now + 3_600_000;
        await service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "300d"));
        await SweepAfterAsync(service, TimeSpan.FromMinutes(15));
        Assert.Null((await OldestAsync(service)).Id);
        service.Time.Advance(TimeSpan.FromHours(1));
        await service.CallAsync("POST", "/v2/enqueue/orders/https://example.com/");
        await service.DeliverDueAsync();

        for (var day = 0; day < 5; day++)
        {
            Assert.Equal((id, due, false), await OldestAsync(service) is var oldest ? (oldest.Id?.Text, oldest.DueAt, oldest.IsPart) : default);
            // Nobody has to look at it for that.
            await SweepAfterAsync(service, TimeSpan.FromDays(1));
        }
    }

    [Fact]
    public async Task What_has_ended_or_is_tried_again_later_hides_no_other()
    {
        await using var service = new TestService();
        var ids = new List<string>();
        // More than are looked at side by side.
        for (var i = 0; i < 40; i++)
        {
            ids.Add(await service.PublishAsync("https://example.com/" + i, "", ("Upstash-Delay", "1h")));
            service.Time.Advance(TimeSpan.FromMilliseconds(10));
        }
        await SweepAfterAsync(service, TimeSpan.FromMinutes(15));
        foreach (var id in ids[..35])
            await service.CallAsync("DELETE", "/v2/messages/" + id);
        service.Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(ids[35], (await OldestAsync(service)).Id?.Text);
    }

    [Fact]
    public async Task Of_very_many_it_says_that_it_looked_at_some()
    {
        await using var service = new TestService();
        for (var i = 0; i < 60; i++)
            await service.PublishAsync("https://example.com/" + i, "", ("Upstash-Delay", "1h"));
        await SweepAfterAsync(service, TimeSpan.FromMinutes(15));
        await service.CallAsync("DELETE", "/v2/messages");
        service.Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal((null, true), await OldestAsync(service) is var oldest ? (oldest.Id, oldest.IsPart) : default);
    }

    internal static async Task SweepAfterAsync(TestService service, TimeSpan time)
    {
        service.Time.Advance(time);
        await service.Get<QueueProbe>().NoteAsync(WorkItem.Queue, service.Now);
        await service.Get<Sweep>().RunAsync();
    }

    private static async Task<OldestDue> OldestAsync(TestService service) => await service.Get<OldestDueReader>().ReadAsync();
}
