using System.Buffers;
using System.IO.Pipelines;
using FuncStash.Http;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace FuncStash.Server.Connections;

/// <summary>
/// A client's connection, around what Kestrel does with it. What Kestrel refuses before the API sees it, and would answer with
/// nothing but a status, gets QStash's JSON; and a request target in raw UTF-8 is read as if it were percent-encoded.
/// </summary>
/// <remarks>
/// Both are done only once Kestrel has refused a request (<see cref="RefusedRequests"/>): until then bytes pass through
/// untouched, and nobody but Kestrel has to know where a request begins and where its body ends.
/// </remarks>
internal sealed class ClientConnection(ConnectionContext connection)
{
    // A connection closed with unread bytes is reset, and the client may never see the answer.
    private const int MaxDropped = 1024 * 1024;

    // How long a request goes on whose client has sent its end: it may still read the answer.
    private static readonly TimeSpan s_halfClosed = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(2), s_quiet = TimeSpan.FromMilliseconds(200);

    private readonly RequestInput _input = new(connection.Transport.Input);
    private ResponseOutput _output = new(connection.Transport.Output);
    private bool _readsAgain;
    private bool _isRefused;

    public static void Watch(ListenOptions endpoint) =>
        endpoint.Use(next => connection => new ClientConnection(connection).RunAsync(next));

    /// <summary>Decides what becomes of a request that Kestrel has refused and is about to answer.</summary>
    /// <param name="request">The features of the request.</param>
    public void OnRefused(IFeatureCollection request)
    {
        if (request.Get<IBadRequestExceptionFeature>()?.Error is not BadHttpRequestException error
            || request.Get<IHttpResponseFeature>() is not { HasStarted: false } response)
            return;
        var (method, target) = request.Get<IHttpRequestFeature>() is { } r ? (r.Method, r.RawTarget) : ("", "");
        // Without a target, it is the request line that was refused.
        if (error.StatusCode == StatusCodes.Status400BadRequest && string.IsNullOrEmpty(target) && _input.EscapeTarget())
        {
            _readsAgain = true;
            _output.DropAll();
            return;
        }
        _isRefused = true;
        if (_input.StartsWith("PRI * HTTP/2.0\r\n"u8))
        {
            _output.Replace(Refusal.ToHttp2());
            return;
        }
        var text = error.StatusCode == StatusCodes.Status400BadRequest && _input.BadHeader() is { } name
            ? $"invalid value of {name}: control characters are not allowed"
            : MalformedRequest.TextOf(error);
        var isHead = HttpMethods.IsHead(method) || _input.StartsWith("HEAD "u8);
        _output.Replace(Refusal.Of(error.StatusCode, text, response.Headers.Allow, withBody: !isHead));
    }

    private async Task RunAsync(ConnectionDelegate next)
    {
        var transport = connection.Transport;
        connection.Features.Set(this);
        var client = connection.Features.Get<OpenClient>();
        try
        {
            if (client is null or { HasRoom: true })
                await RunAsync(next, transport);
            else
                await RefuseAsync();
        }
        finally
        {
            client?.Leave();
        }
    }

    private async Task RunAsync(ConnectionDelegate next, IDuplexPipe transport)
    {
        if (connection.Features.Get<IConnectionHeartbeatFeature>() is { } heartbeat)
            connection.Features.Set<IConnectionHeartbeatFeature>(new Heartbeat(heartbeat));
        // Kestrel takes the end of what a client sends for its going away, and drops the answer.
        using var closed = new CancellationTokenSource();
        using var closing = connection.ConnectionClosed.UnsafeRegister(_ => closed.CancelAfter(s_halfClosed), null);
        connection.ConnectionClosed = closed.Token;
        do
        {
            _readsAgain = false;
            connection.Transport = new Pipes(_input, _output);
            await next(connection);
            _output = new ResponseOutput(transport.Output);
        }
        while (_readsAgain);
        connection.Transport = transport;
        if (_isRefused)
            await DropRestAsync();
    }

    private async Task RefuseAsync()
    {
        _output.Write(Refusal.Of(StatusCodes.Status503ServiceUnavailable, "too many requests are under way: try again later", null, withBody: true));
        await _output.FlushAsync();
        await DropRestAsync();
    }

    private async Task DropRestAsync()
    {
        using var limit = new CancellationTokenSource(s_longest, TimeProvider.System);
        using var quiet = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        try
        {
            for (long dropped = 0; dropped < MaxDropped;)
            {
                quiet.CancelAfter(s_quiet);
                var read = await _input.ReadAsync(quiet.Token);
                dropped += read.Buffer.Length;
                _input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || read.IsCanceled)
                    return;
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // Nothing more came, or nobody is there any more.
        }
    }

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>
    /// The connection's heartbeat, for the last who asked for it: when a request is read again, what read it first has ended,
    /// and must not go on minding its time limits.
    /// </summary>
    private sealed class Heartbeat(IConnectionHeartbeatFeature inner) : IConnectionHeartbeatFeature
    {
        private Action? _beat;

        public void OnHeartbeat(Action<object> action, object state)
        {
            if (Interlocked.Exchange(ref _beat, () => action(state)) is null)
                inner.OnHeartbeat(static self => Volatile.Read(ref ((Heartbeat)self)._beat)!(), this);
        }
    }
}
