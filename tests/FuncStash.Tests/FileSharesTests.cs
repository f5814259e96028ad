using FuncStash.Settings;

namespace FuncStash.Tests;

/// <summary>Who may have how many open files.</summary>
public sealed class FileSharesTests
{
    [Theory]
    [InlineData(384)]
    [InlineData(1024)]
    [InlineData(20_000)]
    [InlineData(1_048_576)]
    [InlineData(int.MaxValue)]
    public void The_process_keeps_enough_for_itself(int limit)
    {
        var shares = FileShares.Of(limit);

        Assert.InRange(shares.Destinations + shares.Clients + shares.Storage, 60, limit - 320);
        Assert.InRange(shares.Destinations, 32, 4096);
    }

    [Fact]
    public void A_limit_that_is_too_low_is_told_with_the_least()
    {
        var error = Assert.Throws<FormatException>(() => FileShares.Of(256));

        Assert.Contains("(ulimit -n) is 256: at least 384 are needed", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Max open files            1024                 524288               files     ", 1024)]
    [InlineData("Max open files            unlimited            unlimited            files     ", int.MaxValue)]
    [InlineData("Max processes             96364                96364                processes ", 10_240)]
    public void The_soft_limit_counts(string line, long limit) =>
        Assert.Equal(limit, FileShares.LimitIn(["Limit                     Soft Limit           Hard Limit           Units     ", line]));

    [Fact]
    public void There_are_never_more_attempts_than_connections()
    {
        var options = FileShares.Of(1024).Limit(new FuncStashOptions());

        Assert.Equal(352, options.MaxConnections);
        Assert.Equal(264, options.MaxParallelism);
        Assert.Equal(132, options.DestinationParallelism);
        Assert.Equal(1024, FileShares.Of(20_000).Limit(new FuncStashOptions()).MaxParallelism);
        Assert.Equal(10, FileShares.Of(20_000).Limit(new FuncStashOptions { MaxParallelism = 10 }).MaxParallelism);
    }
}
