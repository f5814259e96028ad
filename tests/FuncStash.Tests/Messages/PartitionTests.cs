using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Tests.Admission;
using FuncStash.Upkeep;

namespace FuncStash.Tests.Messages;

/// <summary>Where the messages of a day lie: from 2027 on the shard leads, and nobody notices the change.</summary>
public sealed class PartitionTests
{
    [Theory]
    [InlineData("2026-01-05", 3, "20260105-3")]
    [InlineData("2026-12-31", 7, "20261231-7")]
    [InlineData("2027-01-01", 0, "0-20270101")]
    [InlineData("2031-05-17", 5, "5-20310517")]
    public void Its_name(string date, int shard, string expected)
    {
        var day = MessageId.DayOf(new DateTimeOffset(DateTime.Parse(date, null), TimeSpan.Zero).ToUnixTimeMilliseconds());
        Assert.Equal(expected, MessageRows.Partition(day, shard));
        Assert.Equal($"{date.Replace("-", "", StringComparison.Ordinal)}-{shard}", MessageRows.DayAndShard(day, shard));
    }

    [Fact]
    public async Task Messages_of_both_sides_are_delivered_listed_and_purged()
    {
        await using var service = await LiveService.StartAsync(options: new FuncStashOptions { LogRetention = TimeSpan.FromDays(1) });
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            ids.Add(await service.PublishAsync($"/{i}", ("Upstash-Delay", "13h")));
            service.Clock.Advance(12 * 3_600_000);
        }
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 4);
        await service.RunNowAsync();

        Assert.Equal(3, ids.Select(id => MessageId.Parse(id).PartitionDay).Distinct().Count());
        foreach (var id in ids)
            Assert.Equal(MessageState.Delivered, await service.StateOfAsync(id));
        var events = (await service.SendAsync("GET", "/v2/events?count=100")).Json!["events"]!.AsArray();
        Assert.Equal(4 * 3, events.Count);
        Assert.Equal(ids.AsEnumerable().Reverse(), events.Where(e => (string)e!["state"]! == "CREATED").Select(e => (string)e!["messageId"]!));

        service.Clock.Advance(10 * 86_400_000L);
        while ((await service.New<Purge>().RunAsync()).More)
            service.Clock.Advance(1);
        Assert.Empty((await service.SendAsync("GET", "/v2/events")).Json!["events"]!.AsArray());
        Assert.Empty(await Days.ListAsync(service.Store.Tables, default));
    }
}
