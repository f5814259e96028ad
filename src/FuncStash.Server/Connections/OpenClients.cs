namespace FuncStash.Server.Connections;

/// <summary>
/// All connections of clients: never more than a number. For a new one, the one that has been idle for longest is closed:
/// its client sends nothing, or has had its answer and keeps the connection.
/// </summary>
/// <param name="most">The most connections at a time.</param>
/// <param name="time">The clock.</param>
internal sealed class OpenClients(int most, TimeProvider time)
{
    /// <summary>How long a connection is let alone after a request, since its client may be about to send the next.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    // Asked to close, a connection ends with the request that it may be sending; one that sends none gets no more time.
    private static readonly TimeSpan s_closing = TimeSpan.FromMilliseconds(250), s_look = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly LinkedList<OpenClient> _idle = [];
    private volatile TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count, _together = 1;

    // When a newcomer was last turned away: until somebody leaves, the next ones need not wait as long.
    private Task? _fullUntil;

    /// <summary>How many connections there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Serves a request; its connection is no idle one as long as that takes.</summary>
    public static Task ServeAsync(HttpContext context, RequestDelegate serve) =>
        context.Features.Get<OpenClient>() is { } client ? ServeAsync(client, context, serve) : serve(context);

    private static async Task ServeAsync(OpenClient client, HttpContext context, RequestDelegate serve)
    {
        client.Begin();
        try
        {
            await serve(context);
        }
        finally
        {
            client.End();
        }
    }

    /// <summary>Waits until there is a place for one more, and makes it if need be.</summary>
    /// <returns>False when all have been at work on requests for as long as <see cref="Grace"/>.</returns>
    public async ValueTask<bool> MakeRoomAsync()
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var left = _left.Task;
            if (Count < most)
                return true;
            var isLate = time.GetElapsedTime(began) >= Grace || _fullUntil == left;
            var closing = 0;
            while (closing < _together && TryCloseLongest(isLate ? TimeSpan.Zero : Grace))
                closing++;
            if (isLate && closing == 0)
            {
                _fullUntil = left;
                return false;
            }
            var asked = time.GetTimestamp();
            await left.WaitAsync(closing > 0 ? 2 * s_closing : s_look, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Those that do not go when they are asked, with half a request sent, take a while each: more of them together.
            _together = closing > 0 && time.GetElapsedTime(asked) >= s_closing ? Math.Min(_together * 2, Math.Max(most / 4, 1)) : 1;
        }
    }

    /// <summary>Closes the connection that has been idle for longest, unless that is not as long as <paramref name="least"/>.</summary>
    public bool TryCloseLongest(TimeSpan least)
    {
        OpenClient? longest;
        lock (_lock)
        {
            longest = _idle.First?.Value;
            if (longest is null || time.GetElapsedTime(longest.IdleSince) < least)
                return false;
            Remove(longest);
        }
        _ = CloseAsync(longest);
        return true;
    }

    public void Add(OpenClient client)
    {
        Interlocked.Increment(ref _count);
        NoteIdle(client);
    }

    public void NoteIdle(OpenClient client)
    {
        lock (_lock)
        {
            if (client.Place is not null || client.IsGone)
                return;
            client.IdleSince = time.GetTimestamp();
            client.Place = _idle.AddLast(client);
        }
    }

    public void NoteBusy(OpenClient client)
    {
        lock (_lock)
            Remove(client);
    }

    public void Leave(OpenClient client)
    {
        lock (_lock)
        {
            Remove(client);
            if (client.IsGone)
                return;
            client.IsGone = true;
            Interlocked.Decrement(ref _count);
            _left.SetResult();
            _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private async Task CloseAsync(OpenClient client)
    {
        client.RequestClose();
        await Task.Delay(s_closing, time);
        if (client is { IsGone: false, IsBusy: false })
            client.Abort();
    }

    private void Remove(OpenClient client)
    {
        if (client.Place is not { } place)
            return;
        _idle.Remove(place);
        client.Place = null;
    }
}
