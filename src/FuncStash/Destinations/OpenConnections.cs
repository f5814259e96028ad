using System.Net;
using System.Net.Sockets;

namespace FuncStash.Destinations;

/// <summary>
/// All connections to destinations of this process: never more than a number. For a new one the one that has been idle for
/// longest is closed.
/// </summary>
/// <param name="most">The most connections, those that are being made included.</param>
internal sealed class OpenConnections(int most)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<ExchangeStream> _idle = [];
    private int _count;

    /// <summary>How many connections there are, those that are being made included.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Connects to an address.</summary>
    /// <exception cref="OwnLimitException">There are too many connections and all are in use, or the machine has no socket left.</exception>
    /// <exception cref="SocketException">The address does not take the connection.</exception>
    public async Task<Stream> ConnectAsync(IPEndPoint address, CancellationToken cancellation)
    {
        Take();
        Socket? socket = null;
        try
        {
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(address, cancellation);
            return new Connection(socket, this);
        }
        catch (Exception error)
        {
            socket?.Dispose();
            Interlocked.Decrement(ref _count);
            if (error is SocketException { SocketErrorCode: SocketError.AddressNotAvailable } && OwnLimits.IsOutOfPorts(address))
                throw new OwnLimitException($"all ports for connections to {address} are taken", error);
            throw;
        }
    }

    /// <summary>An exchange is over. Its connection, unless another has taken it meanwhile, may be closed in favour of a new one.</summary>
    public void NoteIdle(ExchangeStream connection, Exchange exchange)
    {
        lock (_lock)
        {
            if (connection is { Idle: null, IsClosed: false } && connection.Exchange == exchange)
                connection.Idle = _idle.AddLast(connection);
        }
    }

    /// <summary>Takes a connection into use. False when it has been closed in favour of another.</summary>
    public bool TryUse(ExchangeStream connection, Exchange exchange)
    {
        lock (_lock)
        {
            Remove(connection);
            connection.Exchange = exchange;
            return !connection.IsClosed;
        }
    }

    /// <summary>A connection is closed.</summary>
    public void NoteClosed(ExchangeStream connection)
    {
        lock (_lock)
        {
            Remove(connection);
            connection.IsClosed = true;
        }
    }

    private void Take()
    {
        while (Interlocked.Increment(ref _count) > most)
        {
            Interlocked.Decrement(ref _count);
            if (NextIdle() is not { } idle)
                throw new OwnLimitException($"all {most} connections are in use");
            idle.Dispose();
        }
    }

    private ExchangeStream? NextIdle()
    {
        lock (_lock)
        {
            if (_idle.First?.Value is not { } longest)
                return null;
            Remove(longest);
            longest.IsClosed = true;
            return longest;
        }
    }

    private void Remove(ExchangeStream connection)
    {
        if (connection.Idle is not { } place)
            return;
        _idle.Remove(place);
        connection.Idle = null;
    }

    // Whoever has it, the client or TLS, disposes it; what was forgotten the garbage collector does.
    private sealed class Connection(Socket socket, OpenConnections all) : NetworkStream(socket, ownsSocket: true)
    {
        private int _isClosed;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (Interlocked.Exchange(ref _isClosed, 1) == 0)
                Interlocked.Decrement(ref all._count);
        }
    }
}
