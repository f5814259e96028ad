using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace FuncStash.Testing;

/// <summary>
/// A destination that speaks HTTP by hand, so that it can do what no decent server does: answer too early, half or twice,
/// close, reset, or say nothing. What it does with a connection is the test's.
/// </summary>
internal sealed class RawReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly Func<RawConnection, Task> _serve;
    private readonly X509Certificate2? _certificate;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<RawRequest> _requests = new();
    private readonly ConcurrentBag<Task> _serving = [];
    private readonly Task _accepting;
    private int _connections;

    private RawReceiver(Func<RawConnection, Task> serve, IPAddress address, X509Certificate2? certificate)
    {
        (_serve, _certificate) = (serve, certificate);
        _listener = new TcpListener(address, 0);
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many connections were made so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The requests that were read so far, in the order they came.</summary>
    public IReadOnlyList<RawRequest> Requests => [.. _requests];

    /// <param name="serve">What happens on each connection; when it ends, the connection is closed.</param>
    /// <param name="address">Where it listens; 127.0.0.1 unless given.</param>
    /// <param name="certificate">For TLS.</param>
    public static RawReceiver Start(Func<RawConnection, Task> serve, IPAddress? address = null, X509Certificate2? certificate = null) =>
        new(serve, address ?? IPAddress.Loopback, certificate);

    /// <summary>Answers every request with the same text.</summary>
    public static RawReceiver Answering(string answer) => Start(async connection =>
    {
        while (await connection.ReadAsync() is not null)
            await connection.WriteAsync(answer);
    });

    /// <param name="host">Null for the address it listens at.</param>
    public string Url(string path = "/hook", string? host = null) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(_certificate is null ? "http" : "https")}://{host ?? new IPEndPoint(((IPEndPoint)_listener.LocalEndpoint).Address, 0).ToString()[..^2]}:{Port}{path}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        await Task.WhenAll(_serving).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
                _serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token), Interlocked.Increment(ref _connections) - 1));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(Socket socket, int number)
    {
        await Task.Yield();
        socket.NoDelay = true;
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                stream = tls;
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
            }
            await _serve(new RawConnection(socket, stream, number, _requests.Enqueue, _stop.Token));
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The other side has gone, or the test is over.
        }
        finally
        {
            await stream.DisposeAsync();
        }
    }
}
