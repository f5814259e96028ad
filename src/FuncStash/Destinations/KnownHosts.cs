using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace FuncStash.Destinations;

/// <summary>What the resolver said of a host.</summary>
/// <param name="Exists">True when it has an address, false when there is no such host, null when nobody could tell.</param>
/// <param name="Refusal">Why it cannot be delivered to; null when it can, as far as anybody could tell.</param>
public sealed record HostFinding(bool? Exists, string? Refusal)
{
    internal static readonly HostFinding Found = new(true, null), Unknown = new(null, null);
}

/// <summary>
/// Remembers which hosts there are and may be delivered to, so that a publish to a known one costs nothing more: for a
/// minute one that may, for a few seconds one that may not or of which nobody could tell.
/// </summary>
/// <remarks>
/// <para>
/// A resolver that is slow or down refuses nobody. A publish waits <see cref="Patience"/> at most, from the beginning of the
/// lookup on: once for a host that hangs, not once a publish. Publishes that ask for one host at a time share one lookup.
/// </para>
/// <para>
/// "No such host" is believed only of a resolver that knows <see cref="Landmark"/>, a host that is always there. Machines
/// that are offline, and networks that do not see the public DNS, say it of every name.
/// </para>
/// <para>At most <see cref="Most"/> hosts are remembered, and a timer forgets those whose time is over.</para>
/// </remarks>
public sealed class KnownHosts : IDisposable
{
    /// <summary>How long a lookup may hold a publish up.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a host that may be delivered to is remembered.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    /// <summary>How long any other is: who makes its DNS entry, or brings the resolver back, does not wait for long.</summary>
    public static readonly TimeSpan ShortLife = TimeSpan.FromSeconds(5);

    /// <summary>The most hosts that are remembered; of further ones nobody can tell.</summary>
    public const int Most = 10_000;

    /// <summary>The most lookups at once.</summary>
    public const int SideBySide = 8;

    /// <summary>One of the root name servers.</summary>
    public const string Landmark = "a.root-servers.net";

    private readonly ConcurrentDictionary<string, Lookup> _lookups = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Lookup>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly SemaphoreSlim _turns = new(SideBySide);
    private readonly AddressPolicy _policy;
    private readonly HostLookup _resolver;
    private readonly TimeProvider _time;
    private readonly ITimer _forgetting;
    private int _count, _isTimed;

    public KnownHosts(AddressPolicy policy, HostLookup resolver, TimeProvider time)
    {
        (_policy, _resolver, _time) = (policy, resolver, time);
        _bySpan = _lookups.GetAlternateLookup<ReadOnlySpan<char>>();
        _forgetting = time.CreateTimer(_ => Forget(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many hosts are remembered.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>What is known of a host, without a lookup. Allocates nothing.</summary>
    /// <param name="host">The host in ASCII, in any case.</param>
    /// <returns>Null when nothing is known.</returns>
    public HostFinding? Find(ReadOnlySpan<char> host) =>
        _bySpan.TryGetValue(host, out var lookup) && lookup.Finding is { } finding && !IsOver(lookup) ? finding : null;

    /// <summary>Begins to look a host up, unless it is known or its lookup under way.</summary>
    /// <param name="host">The host in ASCII, in any case.</param>
    public void Begin(string host) => GetOrBegin(host);

    /// <summary>What is known of a host, after a lookup if need be.</summary>
    /// <param name="host">The host in ASCII, in any case.</param>
    /// <param name="cancellation">Stops the wait.</param>
    public ValueTask<HostFinding> FindAsync(string host, CancellationToken cancellation = default)
    {
        var lookup = GetOrBegin(host);
        return lookup is null ? new(HostFinding.Unknown)
            : lookup.Finding is { } finding ? new(finding)
            : WaitAsync(lookup, cancellation);
    }

    public void Dispose() => _forgetting.Dispose();

    /// <summary>One lookup and, once it has ended, what came of it.</summary>
    private sealed class Lookup(long began)
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile HostFinding? _finding;

        public long Began { get; } = began;

        public Task Done => _done.Task;

        public HostFinding? Finding => _finding;

        /// <summary>Until when the finding is good: a timestamp.</summary>
        public long Until { get; private set; }

        public void End(HostFinding finding, long until)
        {
            Until = until;
            _finding = finding;
            _done.SetResult();
        }
    }

    private Lookup? GetOrBegin(string host)
    {
        while (true)
        {
            var isThere = _lookups.TryGetValue(host, out var there);
            if (isThere && (there!.Finding is null || !IsOver(there)))
                return there;
            if (!isThere && Count >= Most)
                return null;
            var mine = new Lookup(_time.GetTimestamp());
            if (!(isThere ? _lookups.TryUpdate(host, mine, there!) : _lookups.TryAdd(host, mine)))
                continue;
            if (!isThere)
                Interlocked.Increment(ref _count);
            StartForgetting();
            _ = RunAsync(host, mine);
            return mine;
        }
    }

    private async ValueTask<HostFinding> WaitAsync(Lookup lookup, CancellationToken cancellation)
    {
        var left = Patience - _time.GetElapsedTime(lookup.Began);
        if (left > TimeSpan.Zero)
            await lookup.Done.WaitAsync(left, _time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
        return lookup.Finding ?? HostFinding.Unknown;
    }

    private async Task RunAsync(string host, Lookup lookup)
    {
        var finding = HostFinding.Unknown;
        try
        {
            finding = await ResolveAsync(host, lookup);
            // Not within the lookup's turn: the landmark may need one.
            if (finding.Exists == false && !host.Equals(Landmark, StringComparison.OrdinalIgnoreCase)
                && (await FindAsync(Landmark)).Exists != true)
                finding = HostFinding.Unknown;
        }
        finally
        {
            lookup.End(finding, _time.GetTimestamp() + Ticks(finding is { Exists: true, Refusal: null } ? Life : ShortLife));
        }
    }

    private async Task<HostFinding> ResolveAsync(string host, Lookup lookup)
    {
        await _turns.WaitAsync();
        try
        {
            // Behind a resolver that hangs: nobody waits for this one any more.
            if (_time.GetElapsedTime(lookup.Began) > ShortLife)
                return HostFinding.Unknown;
            return FindingOf(host, await _resolver(host));
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            return FindingOf(host, []);
        }
        catch (Exception error) when (error is SocketException or ArgumentException)
        {
            return HostFinding.Unknown;
        }
        finally
        {
            _turns.Release();
        }
    }

    private HostFinding FindingOf(string host, IPAddress[] addresses)
    {
        if (addresses.Length == 0)
            return new HostFinding(false, $"unable to resolve host: lookup {host}: no such host");
        string? refusal = null;
        foreach (var address in addresses)
        {
            if (_policy.Refusal(address) is not { } reason)
                return HostFinding.Found;
            refusal ??= reason;
        }
        return new HostFinding(true, $"{host} resolves to an address that is refused: {refusal}");
    }

    private void StartForgetting()
    {
        if (Interlocked.Exchange(ref _isTimed, 1) == 0)
            _forgetting.Change(Life, Timeout.InfiniteTimeSpan);
    }

    private void Forget()
    {
        // Seen by all before the look at what there is: who adds something later sets the timer.
        Interlocked.Exchange(ref _isTimed, 0);
        foreach (var entry in _lookups)
        {
            if (entry.Value.Finding is not null && IsOver(entry.Value) && _lookups.TryRemove(entry))
                Interlocked.Decrement(ref _count);
        }
        if (!_lookups.IsEmpty)
            StartForgetting();
    }

    private bool IsOver(Lookup lookup) => _time.GetTimestamp() >= lookup.Until;

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);
}
