using System.Net;
using System.Net.Http;
using System.Net.Sockets;

namespace FuncStash.Destinations;

/// <summary>Nothing was sent: this process or its machine has no file, socket, port, thread or memory left for it.</summary>
/// <remarks>No fault of the destination's, and no attempt of the message's.</remarks>
public sealed class OwnLimitException(string message, Exception? cause = null) : IOException(message, cause);

/// <summary>Tells limits of this process and its machine from faults of a destination.</summary>
public static class OwnLimits
{
    /// <summary>Which limit a failure to connect comes from; null when the destination is at fault, as far as anybody can tell.</summary>
    public static string? Reason(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case OwnLimitException:
                    return cause.Message;
                case SocketException socket when ReasonOf(socket.SocketErrorCode) is { } reason:
                    return reason;
                case OutOfMemoryException:
                    return "memory or threads are used up";
            }
        }
        // A resolver or TLS that finds no file for what it needs fails in words of its own.
        return ReasonNow();
    }

    /// <summary>The limit that a socket's error tells of; null when it is another kind of error.</summary>
    public static string? ReasonOf(SocketError code) => code switch
    {
        SocketError.TooManyOpenSockets or SocketError.ProcessLimit => "open files are used up",
        SocketError.NoBufferSpaceAvailable => "memory of the network is used up",
        _ => null,
    };

    /// <summary>Whether an address that could not be had was that of this machine's own end: all ports towards the other are taken.</summary>
    /// <param name="destination">Where the connection was to go.</param>
    public static bool IsOutOfPorts(IPEndPoint destination)
    {
        // Ports are taken for each protocol of its own, so UDP tells whether there is a way there at all; it sends nothing.
        try
        {
            using var other = new Socket(destination.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            other.Connect(destination);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string? ReasonNow()
    {
        try
        {
            using var any = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            return null;
        }
        catch (SocketException error)
        {
            return ReasonOf(error.SocketErrorCode);
        }
    }
}
