namespace FuncStash.Testing;

/// <summary>Looks again until what was asked for is there: for state that only the API tells.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <exception cref="TimeoutException">It was not there in time; the message shows the last look.</exception>
    public static async Task<T> GetAsync<T>(
        Func<Task<T>> look, Func<T, bool> there, Func<T, string>? show = null, TimeSpan? timeout = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var seen = await look();
            if (there(seen))
                return seen;
            if (TimeProvider.System.GetElapsedTime(start) > (timeout ?? s_patience))
                throw new TimeoutException("waited in vain; last seen: " + (show?.Invoke(seen) ?? $"{seen}"));
            await Task.Delay(s_pause, TimeProvider.System);
        }
    }
}
