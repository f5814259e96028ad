using System.Net;
using System.Net.Sockets;
using FuncStash.Destinations;
using FuncStash.Settings;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Tests.Destinations;

/// <summary>What is remembered of hosts: for how long, how much of it, and what a lookup may cost a publish.</summary>
public sealed class KnownHostsTests : IDisposable
{
    private static readonly HostFinding s_fine = new(true, null);

    private readonly FakeTimeProvider _time = new();
    private readonly TestResolver _resolver = new();
    private readonly KnownHosts _hosts;

    public KnownHostsTests() =>
        _hosts = new KnownHosts(new AddressPolicy(new FuncStashOptions { AllowPrivateNetworks = false }), _resolver.LookUpAsync, _time);

    public void Dispose() => _hosts.Dispose();

    [Fact]
    public async Task A_host_with_an_address_is_remembered_for_a_minute()
    {
        _resolver.Gives("example.com", "8.8.8.8");

        Assert.Equal(s_fine, await _hosts.FindAsync("example.com"));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(s_fine, _hosts.Find("EXAMPLE.com"));
        Assert.Equal(s_fine, await _hosts.FindAsync("Example.COM"));
        Assert.Equal(1, _resolver.TimesAsked("example.com"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_hosts.Find("example.com"));
        await _hosts.FindAsync("example.com");
        Assert.Equal(2, _resolver.TimesAsked("example.com"));
    }

    [Fact]
    public async Task One_that_is_missing_or_refused_only_for_seconds()
    {
        Assert.Equal(new(false, "unable to resolve host: lookup gone.example.com: no such host"), await _hosts.FindAsync("gone.example.com"));
        _resolver.Gives("inner.example.com", "10.0.0.1", "fd00::1");
        var refused = await _hosts.FindAsync("inner.example.com");
        Assert.True(refused.Exists);
        Assert.StartsWith("inner.example.com resolves to an address that is refused: 10.0.0.1 is a private address", refused.Refusal, StringComparison.Ordinal);

        _resolver.Gives("gone.example.com", "8.8.8.8").Gives("inner.example.com", "10.0.0.1", "8.8.8.8");
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.NotNull((await _hosts.FindAsync("gone.example.com")).Refusal);
        Assert.NotNull((await _hosts.FindAsync("inner.example.com")).Refusal);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(s_fine, await _hosts.FindAsync("gone.example.com"));
        Assert.Equal(s_fine, await _hosts.FindAsync("inner.example.com"));
    }

    [Theory]
    [InlineData(SocketError.HostNotFound, false)]
    [InlineData(SocketError.NoData, false)]
    [InlineData(SocketError.TryAgain, null)]
    [InlineData(SocketError.NoRecovery, null)]
    [InlineData(SocketError.NetworkUnreachable, null)]
    [InlineData(SocketError.TimedOut, null)]
    public async Task Only_a_clear_no_counts(SocketError error, bool? exists)
    {
        _resolver.Fails("h.example.com", error);
        Assert.Equal(exists, (await _hosts.FindAsync("h.example.com")).Exists);
    }

    [Fact]
    public async Task No_addresses_at_all_are_a_no_and_a_resolver_that_breaks_is_none()
    {
        _resolver.Gives("none.example.com").Answers("odd.example.com", () => throw new ArgumentException("too long"))
            .Answers("worse.example.com", () => throw new InvalidOperationException());

        Assert.False((await _hosts.FindAsync("none.example.com")).Exists);
        Assert.Null((await _hosts.FindAsync("odd.example.com")).Exists);
        Assert.Null((await _hosts.FindAsync("worse.example.com")).Exists);
    }

    [Fact]
    public async Task A_resolver_that_does_not_know_what_is_always_there_is_not_believed()
    {
        _resolver.SeesNothing();
        Assert.Equal(new(null, null), await _hosts.FindAsync("gone.example.com"));
        Assert.Equal(new(null, null), await _hosts.FindAsync("other.example.com"));
        Assert.Equal(1, _resolver.TimesAsked(KnownHosts.Landmark));

        // It sees the public DNS again.
        _resolver.Gives(KnownHosts.Landmark, "198.41.0.4");
        _time.Advance(KnownHosts.ShortLife);
        Assert.False((await _hosts.FindAsync("gone.example.com")).Exists);

        // The landmark's answer is worth as much as any other's: it may be down just now.
        _resolver.Fails(KnownHosts.Landmark, SocketError.TryAgain);
        _time.Advance(KnownHosts.Life);
        Assert.Null((await _hosts.FindAsync("gone.example.com")).Exists);
    }

    [Fact]
    public async Task Lookups_of_one_host_at_a_time_are_one()
    {
        var answer = new TaskCompletionSource<IPAddress[]>();
        _resolver.Answers("slow.example.com", () => answer.Task);

        var waiting = Enumerable.Range(0, 50).Select(_ => _hosts.FindAsync("slow.example.com").AsTask()).ToList();
        Assert.All(waiting, wait => Assert.False(wait.IsCompleted));
        answer.SetResult([IPAddress.Parse("10.0.0.1")]);

        Assert.All(await Task.WhenAll(waiting), finding => Assert.NotNull(finding.Refusal));
        Assert.Equal(1, _resolver.TimesAsked("slow.example.com"));
    }

    [Fact]
    public async Task A_resolver_that_hangs_holds_nobody_up_for_longer_than_a_moment_and_only_once()
    {
        var answer = new TaskCompletionSource<IPAddress[]>();
        _resolver.Answers("slow.example.com", () => answer.Task);

        var first = _hosts.FindAsync("slow.example.com").AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(200));
        var second = _hosts.FindAsync("slow.example.com").AsTask();
        Assert.False(first.IsCompleted || second.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal([new(null, null), new HostFinding(null, null)], await Task.WhenAll(first, second).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System));
        var third = _hosts.FindAsync("slow.example.com");
        Assert.True(third.IsCompleted);
        Assert.Null((await third).Exists);

        // What it says in the end counts.
        answer.SetResult([]);
        await WaitUntilAsync(() => _hosts.Find("slow.example.com") is { Exists: false });
        Assert.Equal(1, _resolver.TimesAsked("slow.example.com"));
    }

    [Fact]
    public async Task A_wait_ends_with_its_caller()
    {
        _resolver.Answers("slow.example.com", () => new TaskCompletionSource<IPAddress[]>().Task);
        using var caller = new CancellationTokenSource();

        var wait = _hosts.FindAsync("slow.example.com", caller.Token).AsTask();
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }

    [Fact]
    public async Task Few_lookups_run_at_once_and_those_that_came_too_late_are_left_out()
    {
        var answers = new List<TaskCompletionSource<IPAddress[]>>();
        for (var i = 0; i < 100; i++)
        {
            _resolver.Answers($"h{i}.example.com", () =>
            {
                var answer = new TaskCompletionSource<IPAddress[]>();
                lock (answers)
                    answers.Add(answer);
                return answer.Task;
            });
            _hosts.Begin($"h{i}.example.com");
        }
        Assert.Equal(KnownHosts.SideBySide, answers.Count);
        Assert.Equal(100, _hosts.Count);

        // The resolver hung for so long; then it answers those, and nobody is left who waits for the others.
        _time.Advance(KnownHosts.ShortLife + TimeSpan.FromSeconds(1));
        foreach (var answer in answers.ToList())
            answer.SetResult([]);
        await WaitUntilAsync(() => Enumerable.Range(0, 100).All(i => _hosts.Find($"h{i}.example.com") is not null));
        Assert.Equal(KnownHosts.SideBySide, answers.Count);
    }

    [Fact]
    public async Task Not_more_than_so_many_are_remembered()
    {
        for (var i = 0; i < KnownHosts.Most; i++)
        {
            _resolver.Gives($"h{i}.example.com", "8.8.8.8");
            await _hosts.FindAsync($"h{i}.example.com");
        }

        Assert.Equal(new(null, null), await _hosts.FindAsync("gone.example.com"));
        Assert.Equal((KnownHosts.Most, 0), (_hosts.Count, _resolver.TimesAsked("gone.example.com")));
        Assert.NotNull(_hosts.Find("h1.example.com"));
        _time.Advance(2 * KnownHosts.Life);
        Assert.Equal(0, _hosts.Count);
        Assert.False((await _hosts.FindAsync("gone.example.com")).Exists);
    }

    [Fact]
    public async Task A_year_of_hosts_leaves_nothing_behind()
    {
        var most = 0;
        for (var day = 0; day < 365; day++)
        {
            for (var i = 0; i < 20; i++)
                await _hosts.FindAsync($"d{day}h{i}.example.com");
            most = Math.Max(most, _hosts.Count);
            _time.Advance(TimeSpan.FromDays(1));
            Assert.Equal(0, _hosts.Count);
        }
        Assert.InRange(most, 20, 21);
    }

    [Fact]
    public async Task A_look_at_a_known_host_allocates_nothing()
    {
        const string Url = "https://Example.com:8443/hook";
        _resolver.Gives("example.com", "8.8.8.8");
        await _hosts.FindAsync("example.com");
        var check = new DestinationCheck(new AddressPolicy(new FuncStashOptions()), _hosts, new FuncStashOptions());
        for (var i = 0; i < 1_000; i++)
            Assert.Null(Look());

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            Look();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1, _resolver.TimesAsked("example.com"));

        string? Look()
        {
            var look = check.RefusalAsync(Url);
            return look.IsCompletedSuccessfully ? look.Result : throw new InvalidOperationException();
        }
    }

    [Fact]
    public async Task The_systems_resolver_tells_no_from_nobody_knows()
    {
        Assert.Contains(IPAddress.Loopback, await SystemResolver.LookUpAsync("localhost"));
        var error = await Assert.ThrowsAsync<SocketException>(() => SystemResolver.LookUpAsync("no-such-host.invalid"));
        Assert.Contains(error.SocketErrorCode, new[] { SocketError.HostNotFound, SocketError.NoData, SocketError.TryAgain });
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!condition())
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, timeout.Token);
    }
}
