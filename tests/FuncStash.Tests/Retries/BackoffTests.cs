using CsCheck;
using FuncStash.Retries;

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
        Assert.Equal(expected, TimeSpan.FromSeconds((long)Backoff.Delay(retry).TotalSeconds).ToString());

    [Fact]
    public void Grows_and_stays_within_a_day() =>
        Gen.OneOf(Gen.Int[1, 20], Gen.Int[1, int.MaxValue - 1]).Sample(retry =>
        {
            var (delay, next) = (Backoff.Delay(retry), Backoff.Delay(retry + 1));
            Assert.InRange(delay, TimeSpan.FromSeconds(12.18), TimeSpan.FromDays(1));
            Assert.True(next > delay || next == TimeSpan.FromDays(1));
        }, iter: 1000);

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void The_first_attempt_is_no_retry(int retry) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Backoff.Delay(retry));
}
