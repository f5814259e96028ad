using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using FuncStash.Destinations;

namespace FuncStash.Tests.Destinations;

/// <summary>Lookups while the resolver is slow.</summary>
public sealed class HostLookupsTests
{
    private static readonly IPAddress[] s_addresses = [IPAddress.Loopback];

    private readonly ConcurrentDictionary<string, TaskCompletionSource<IPAddress[]>> _asked = new();
    private readonly TaskCompletionSource<string> _third = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task There_are_only_so_many_at_a_time_and_the_next_ones_wait_for_their_turn()
    {
        using var lookups = new HostLookups(ResolveAsync, 2);
        var all = new[] { "a", "b", "c" }.Select(host => lookups.LookUpAsync(host, default)).ToArray();
        Assert.Equal(["a", "b"], _asked.Keys.Order());

        _asked["b"].SetResult(s_addresses);
        await all[1];

        Assert.Equal("c", await _third.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System));
        _asked["a"].SetResult(s_addresses);
        _asked["c"].SetResult(s_addresses);
        await Task.WhenAll(all);
    }

    [Fact]
    public async Task Those_who_ask_for_a_host_at_the_same_time_share_one_and_the_next_one_asks_again()
    {
        using var lookups = new HostLookups(ResolveAsync, 2);
        var (first, second) = (lookups.LookUpAsync("a", default), lookups.LookUpAsync("A", default));
        Assert.Equal(["a"], _asked.Keys);
        _asked["a"].SetResult(s_addresses);
        await Task.WhenAll(first, second);

        _asked.Clear();
        var third = lookups.LookUpAsync("a", default);
        _asked["a"].SetException(new SocketException((int)SocketError.HostNotFound));
        await Assert.ThrowsAsync<SocketException>(() => third);

        _asked.Clear();
        var fourth = lookups.LookUpAsync("a", default);
        _asked["a"].SetResult(s_addresses);
        Assert.Equal(s_addresses, await fourth);
    }

    [Fact]
    public async Task Who_gives_up_waits_no_longer_and_ends_it_for_nobody_else()
    {
        using var lookups = new HostLookups(ResolveAsync, 2);
        using var stop = new CancellationTokenSource();
        var (impatient, patient) = (lookups.LookUpAsync("a", stop.Token), lookups.LookUpAsync("a", default));

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        _asked["a"].SetResult(s_addresses);
        Assert.Equal(s_addresses, await patient);
    }

    private Task<IPAddress[]> ResolveAsync(string host)
    {
        var answer = _asked.GetOrAdd(host, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (_asked.Count == 3)
            _third.TrySetResult(host);
        return answer.Task;
    }
}
