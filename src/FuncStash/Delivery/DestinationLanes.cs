using System.Collections.Concurrent;

namespace FuncStash.Delivery;

/// <summary>
/// Bounds the attempts in flight to each destination host, so that a slow or dead one takes no place of another's. A host
/// that keeps giving no response gets fewer places, down to <see cref="Narrow"/>, and all of them back with its next answers.
/// </summary>
public sealed class DestinationLanes
{
    /// <summary>The places of a host that answers, and the least it keeps.</summary>
    public const int Wide = 256, Narrow = 4;

    private readonly ConcurrentDictionary<string, Lane> _lanes = new(StringComparer.OrdinalIgnoreCase);
    private int _inFlight;

    /// <summary>Takes a place in the destination's lane; null when none is free.</summary>
    public Place? TryEnter(string url)
    {
        var host = HostOf(url);
        while (true)
        {
            var lane = _lanes.GetOrAdd(host, static _ => new Lane());
            lock (lane)
            {
                if (lane.Closed)
                    continue;
                if (lane.InFlight >= lane.Places)
                    return null;
                lane.InFlight++;
                Interlocked.Increment(ref _inFlight);
                return new Place(this, host, lane);
            }
        }
    }

    /// <summary>True while messages of this destination have to wait for a place.</summary>
    public bool IsFull(string url)
    {
        if (!_lanes.TryGetValue(HostOf(url), out var lane))
            return false;
        lock (lane)
            return !lane.Closed && lane.InFlight >= lane.Places;
    }

    /// <summary>Attempts of this process whose response has not come.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    private void Leave(string host, Lane lane, bool answered)
    {
        Interlocked.Decrement(ref _inFlight);
        lock (lane)
        {
            lane.InFlight--;
            lane.Places = answered ? Math.Min(Wide, lane.Places * 2) : Math.Max(Narrow, lane.Places * 3 / 4);
            // A host in good standing needs no memory of it.
            if (lane.InFlight == 0 && lane.Places == Wide)
            {
                lane.Closed = true;
                _lanes.TryRemove(host, out _);
            }
        }
    }

    // Scheme, host and port as given: enough to tell destinations apart, without parsing the URL again.
    private static string HostOf(string url)
    {
        var start = url.IndexOf("://", StringComparison.Ordinal) + 3;
        var end = url.AsSpan(start).IndexOfAny('/', '?');
        return end < 0 ? url : url[..(start + end)];
    }

    internal sealed class Lane
    {
        public int Places = Wide;
        public int InFlight;
        public bool Closed;
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
