using CsCheck;
using FuncStash.Messages;
using FuncStash.Retries;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Tests.Retries;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(1, "00:00:12")]
    [InlineData(2, "00:02:28")]
    [InlineData(3, "00:30:08")]
    [InlineData(4, "06:07:06")]
    [InlineData(5, "1.00:00:00")]
    [InlineData(6, "1.00:00:00")]
    [InlineData(int.MaxValue, "1.00:00:00")]
    public void Follows_the_documented_table(int retry, string expected) =>
        Assert.Equal(expected, TimeSpan.FromSeconds((long)Backoff.Delay(retry, random: 0).TotalSeconds).ToString());

    [Fact]
    public void Grows_and_stays_within_a_day() =>
        Gen.OneOf(Gen.Int[1, 20], Gen.Int[1, int.MaxValue - 1]).Sample(retry =>
        {
            var (delay, next) = (Backoff.Delay(retry, random: 0), Backoff.Delay(retry + 1, random: 0));
            Assert.InRange(delay, TimeSpan.FromSeconds(12.18), TimeSpan.FromDays(1));
            Assert.True(next > delay || next == TimeSpan.FromDays(1));
        }, iter: 1000);

    [Fact]
    public void Is_spread_upwards_by_a_few_percent() =>
        Gen.Select(Gen.Int[1, 20], Gen.Double[0, 1], Gen.Double[0, 1]).Sample((retry, some, other) =>
        {
            var documented = Backoff.Delay(retry, random: 0);
            Assert.InRange(Backoff.Delay(retry, some), documented, documented * 1.05);
            Assert.True(some.Equals(other) || Math.Abs(some - other) < 1e-6 || Backoff.Delay(retry, some) != Backoff.Delay(retry, other));
        }, iter: 1000);

    [Fact]
    public async Task Messages_that_failed_together_come_back_one_by_one()
    {
        const int Many = 200;
        await using var service = new TestService(change: services => services.AddSingleton(new Random(5)));
        // The lowest port, where nobody listens.
        for (var i = 0; i < Many; i++)
            await service.PublishAsync("http://127.0.0.1:1/");
        await service.DeliverDueAsync();

        var events = (await service.CallAsync("GET", "/v2/events?count=1000")).Json["events"]!.AsArray();
        var waits = events.Where(entry => (string?)entry!["state"] == "RETRY")
            .Select(entry => (long)entry!["nextDeliveryTime"]! - service.Now).ToList();
        Assert.Equal(Many, waits.Count);
        Assert.All(waits, wait => Assert.InRange(wait, 12_182, 12_182 * 1.05));
        // Of some 600 milliseconds most are taken once.
        Assert.InRange(waits.Distinct().Count(), Many / 2, Many);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void The_first_attempt_is_no_retry(int retry) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Backoff.Delay(retry, random: 0));
}
