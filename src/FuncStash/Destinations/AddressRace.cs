using System.Net;
using System.Net.Sockets;

namespace FuncStash.Destinations;

/// <summary>Connects to the first of a host's addresses that answers (Happy Eyeballs, RFC 8305).</summary>
internal static class AddressRace
{
    /// <summary>How long an address has before the next one is tried as well (RFC 8305 §5).</summary>
    public static readonly TimeSpan Stagger = TimeSpan.FromMilliseconds(250);

    // A name may have any number of addresses, and nobody behind them; each attempt is an open socket.
    private const int MostAtOnce = 8;

    /// <summary>The order to try them in: as given, but with the two families taking turns (RFC 8305 §4).</summary>
    public static IReadOnlyList<IPAddress> Order(IReadOnlyList<IPAddress> addresses)
    {
        if (addresses.Count < 2)
            return addresses;
        var first = addresses.Where(address => address.AddressFamily == addresses[0].AddressFamily).ToList();
        var second = addresses.Where(address => address.AddressFamily != addresses[0].AddressFamily).ToList();
        var ordered = new List<IPAddress>(addresses.Count);
        for (var i = 0; i < Math.Max(first.Count, second.Count); i++)
        {
            ordered.AddRange(first.Skip(i).Take(1));
            ordered.AddRange(second.Skip(i).Take(1));
        }
        return ordered;
    }

    /// <summary>The first connection that comes to be; those that lose are closed.</summary>
    /// <param name="addresses">At least one, in the order to try them.</param>
    /// <param name="connect">Connects to one address.</param>
    /// <param name="time">The clock of <see cref="Stagger"/>.</param>
    /// <param name="cancellation">Ends all attempts.</param>
    /// <exception cref="SocketException">No address took the connection; it is what the first that failed said.</exception>
    public static async Task<Stream> ConnectAsync(
        IReadOnlyList<IPAddress> addresses, Func<IPAddress, CancellationToken, Task<Stream>> connect, TimeProvider time,
        CancellationToken cancellation)
    {
        if (addresses.Count == 1)
            return await connect(addresses[0], cancellation);
        using var decided = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = new List<Task<Stream>>();
        try
        {
            Task<Stream>? failed = null;
            for (var next = 0; next < addresses.Count || running.Count > 0;)
            {
                if (next < addresses.Count && running.Count < MostAtOnce)
                    running.Add(connect(addresses[next++], decided.Token));
                var stagger = next < addresses.Count && running.Count < MostAtOnce
                    ? Task.Delay(Stagger, time, decided.Token)
                    : Task.Delay(Timeout.InfiniteTimeSpan, time, decided.Token);
                var ended = await Task.WhenAny([.. running, stagger]);
                cancellation.ThrowIfCancellationRequested();
                if (ended is not Task<Stream> attempt)
                    continue;
                running.Remove(attempt);
                if (attempt.IsCompletedSuccessfully)
                    return await attempt;
                failed ??= attempt;
            }
            return await failed!;
        }
        finally
        {
            await decided.CancelAsync();
            foreach (var loser in running)
                _ = CloseAsync(loser);
        }
    }

    private static async Task CloseAsync(Task<Stream> loser)
    {
        try
        {
            await (await loser).DisposeAsync();
        }
        catch (Exception)
        {
            // It had not come to be.
        }
    }
}
