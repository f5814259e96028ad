using System.Collections.Concurrent;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Destinations;

/// <summary>
/// Bounds the attempts in flight to each destination host, so that a slow or dead one takes no place of another's. A host
/// that keeps giving no response gets fewer places, down to <see cref="Narrow"/>, and all of them back with its next answers.
/// </summary>
/// <remarks>
/// Nor does a host get more places than are left of <see cref="FuncStashOptions.MaxParallelism"/>: one that hangs takes half
/// of them at most, the next one half of the rest; where n are busy for long, each has one part in n + 1 and as much is free
/// (the dynamic threshold of switches whose ports share a buffer).
/// </remarks>
public sealed class DestinationLanes(FuncStashOptions options, TimeProvider time)
{
    /// <summary>How many attempts of the process may wait for a place at a time, beside those in flight.</summary>
    public const int MostWaiting = 32;

    /// <summary>The places that a host keeps, where the process has them.</summary>
    public const int Narrow = 4;

    // How long one waits for a place, and a host is taken for one that answers after it did; after its first attempt began; how often one looks.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1), s_first = TimeSpan.FromMilliseconds(200), s_step = TimeSpan.FromMilliseconds(20);

    // Of a host that answers.
    private readonly int _wide = options.DestinationParallelism;

    private readonly ConcurrentDictionary<string, Lane> _lanes = new(StringComparer.OrdinalIgnoreCase);
    private int _inFlight, _waiting;

    /// <summary>Takes a place in the destination's lane; null when none is free.</summary>
    public Place? TryEnter(string url)
    {
        var host = HostOf(url);
        while (Free > 0)
        {
            var lane = _lanes.GetOrAdd(host, static (_, lanes) => new Lane { Places = lanes._wide, MovesUntil = lanes.After(s_first) }, this);
            lock (lane)
            {
                if (lane.Closed)
                    continue;
                if (IsFull(lane))
                    return null;
                lane.InFlight++;
                Interlocked.Increment(ref _inFlight);
                return new Place(this, host, lane);
            }
        }
        return null;
    }

    /// <summary>The same, but waits for up to a second where the host gives responses: whoever goes away instead comes back later than that.</summary>
    public async ValueTask<Place?> EnterAsync(string url, CancellationToken stop)
    {
        if (TryEnter(url) is { } free)
            return free;
        if (Interlocked.Increment(ref _waiting) > MostWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return null;
        }
        try
        {
            for (var since = time.GetTimestamp(); IsMoving(url) && time.GetElapsedTime(since) < s_patience;)
            {
                await Task.Delay(s_step, time, stop);
                if (TryEnter(url) is { } place)
                    return place;
            }
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>True while messages of this destination have to wait for a place.</summary>
    public bool IsFull(string url)
    {
        if (!_lanes.TryGetValue(HostOf(url), out var lane))
            return Free <= 0;
        lock (lane)
            return !lane.Closed && IsFull(lane);
    }

    /// <summary>How many attempts are in flight to a destination, and how many there may be now; of this process.</summary>
    public (int InFlight, int Places) Look(string url)
    {
        if (!_lanes.TryGetValue(HostOf(url), out var lane))
            return (0, Math.Max(0, Math.Min(_wide, Free)));
        lock (lane)
            return lane.Closed ? (0, _wide) : (lane.InFlight, Math.Max(0, Math.Min(lane.Places, lane.InFlight + Free)));
    }

    /// <summary>The destinations that may have fewer attempts in flight than one that answers, as scheme, host and port; of this process.</summary>
    public IReadOnlyList<(string Host, int InFlight, int Places)> Slow() =>
        [.. _lanes.Where(lane => lane.Value is { Closed: false } one && one.Places < _wide).Select(lane => (lane.Key, lane.Value.InFlight, lane.Value.Places))];

    /// <summary>How long a message that found its lane full stays away, in milliseconds: about as long again as it has waited.</summary>
    /// <remarks>So many that wait for one host ask seldom, and together hold hardly a place while they do.</remarks>
    /// <param name="waited">Milliseconds since it was due.</param>
    /// <param name="random">From 0 to 1: spreads those that came together.</param>
    public static long Pause(long waited, double random) => (long)(Math.Clamp(waited, 1_000, 30_000) * (0.5 + (random / 2)));

    /// <summary>Attempts of this process whose response has not come.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    private int Free => options.MaxParallelism - InFlight;

    private bool IsMoving(string url) =>
        _lanes.TryGetValue(HostOf(url), out var lane) && time.GetTimestamp() < Volatile.Read(ref lane.MovesUntil);

    private long After(TimeSpan span) => time.GetTimestamp() + (long)(span.TotalSeconds * time.TimestampFrequency);

    private bool IsFull(Lane lane) => lane.InFlight >= Math.Min(lane.Places, Free);

    private void Leave(string host, Lane lane, bool answered)
    {
        Interlocked.Decrement(ref _inFlight);
        lock (lane)
        {
            lane.InFlight--;
            if (answered)
                Volatile.Write(ref lane.MovesUntil, After(s_patience));
            lane.Places = answered ? Math.Min(_wide, lane.Places * 2) : Math.Max(Math.Min(Narrow, _wide), lane.Places * 3 / 4);
            // A host in good standing needs no memory of it.
            if (lane.InFlight == 0 && lane.Places == _wide)
            {
                lane.Closed = true;
                _lanes.TryRemove(host, out _);
            }
        }
    }

    // Scheme, host and port as given: enough to tell destinations apart, without parsing the URL again.
    private static string HostOf(string url) => url[..WrittenUrl.Path(url)];

    internal sealed class Lane
    {
        public int Places;
        public int InFlight;
        public bool Closed;

        // Until when its host is taken for one that answers, unless it does; a timestamp.
        public long MovesUntil;
    }

    /// <summary>A place in a lane, to be left once.</summary>
    public readonly struct Place
    {
        private readonly DestinationLanes _lanes;
        private readonly string _host;
        private readonly Lane _lane;

        internal Place(DestinationLanes lanes, string host, Lane lane) => (_lanes, _host, _lane) = (lanes, host, lane);

        /// <summary>Leaves the lane; <paramref name="answered"/> tells whether the destination gave any response.</summary>
        public void Leave(bool answered) => _lanes.Leave(_host, _lane, answered);
    }
}
