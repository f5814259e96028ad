using FuncStash.Functions.Upkeep;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Functions.Tests.Upkeep;

public sealed class UpkeepInHandTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _end = new();
    private int _started;

    [Fact]
    public async Task A_long_upkeep_is_left_to_itself_and_no_second_is_started_beside_it()
    {
        var upkeep = Upkeep();
        var first = upkeep.RunAsync();
        Assert.False(first.IsCompleted);
        _time.Advance(UpkeepInHand.Patience);
        await first;

        var second = upkeep.RunAsync();
        Assert.False(second.IsCompleted);
        Assert.Equal(1, _started);
        _end.SetResult();
        await second;

        await upkeep.RunAsync();
        Assert.Equal(2, _started);
    }

    [Fact]
    public async Task What_failed_is_told_and_done_again()
    {
        var upkeep = Upkeep();
        var first = upkeep.RunAsync();
        _end.SetException(new InvalidOperationException("no"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        await Assert.ThrowsAsync<InvalidOperationException>(upkeep.RunAsync);
        Assert.Equal(2, _started);
    }

    private UpkeepInHand Upkeep() => new(
        () =>
        {
            _started++;
            return _end.Task;
        },
        _time);
}
