using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Http;

/// <summary>The few places of pages with payloads, all of which would not fit into memory.</summary>
internal sealed class PagePlaces(TimeProvider time) : IDisposable
{
    /// <summary>The most pages with payloads that are written at a time.</summary>
    public const int Count = 2;

    /// <summary>
    /// Who has had a place for as long and waits for its client to read makes way where others wait for one: its connection is closed.
    /// </summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    // How often whoever waits for a place looks who has one.
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _free = new(Count);
    private readonly List<Place> _taken = [];

    /// <summary>Waits for a place, which is to be disposed of.</summary>
    public async Task<Place> TakeAsync(HttpContext context)
    {
        while (!await _free.WaitAsync(s_look, context.RequestAborted))
            MakeWay();
        var place = new Place(this, context, time.GetTimestamp());
        lock (_taken)
            _taken.Add(place);
        return place;
    }

    public void Dispose() => _free.Dispose();

    private void MakeWay()
    {
        Place? slowest;
        lock (_taken)
            slowest = _taken.Find(place => place.IsWaiting && time.GetElapsedTime(place.TakenAt) >= Longest);
        slowest?.Abort();
    }

    internal sealed class Place(PagePlaces all, HttpContext context, long takenAt) : IDisposable
    {
        private volatile bool _isWaiting;

        public long TakenAt => takenAt;

        public bool IsWaiting => _isWaiting;

        /// <summary>Until then it may have to make way.</summary>
        public async ValueTask WaitForClientAsync(ValueTask<FlushResult> read)
        {
            _isWaiting = true;
            await read;
            _isWaiting = false;
        }

        public void Abort() => context.Abort();

        public void Dispose()
        {
            lock (all._taken)
                all._taken.Remove(this);
            all._free.Release();
        }
    }
}
