using System.Net;
using System.Net.Sockets;
using FuncStash.Llm;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Telemetry;
using FuncStash.Wire;

namespace FuncStash.Destinations;

/// <summary>Sends attempts to destinations, at addresses they may have (<see cref="AddressPolicy"/>).</summary>
public sealed class Outbound : IDisposable
{
    /// <summary>How long the body of an answer is waited for. Its status has come by then, and counts whatever the body does.</summary>
    public static readonly TimeSpan BodyTime = TimeSpan.FromSeconds(5);

    private static readonly IPNetwork[] s_anywhere = [IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")];

    private readonly FuncStashOptions _options;
    private readonly TimeProvider _time;
    private readonly LlmProvider _llm;
    private readonly HostLookups _lookups;
    private readonly OutboundClient _toDestinations;
    private readonly OutboundClient _toProvider;

    public Outbound(FuncStashOptions options, LlmProvider llm, TimeProvider time)
    {
        _llm = llm;
        _options = options;
        _time = time;
        // A lookup takes a file or two of its own.
        var lookups = Math.Clamp(options.MaxConnections / 16, 4, 64);
        var connections = new OpenConnections(options.MaxConnections - 2 * lookups);
        _lookups = new HostLookups(SystemResolver.LookUpAsync, lookups);
        OutboundClient Client(AddressPolicy policy) =>
            new(new DestinationConnector(policy, time, connections, _lookups), connections, time);
        _toDestinations = Client(new AddressPolicy(options));
        _toProvider = Client(new AddressPolicy(options with { AllowedNetworks = s_anywhere }));
    }

    /// <summary>Sends one attempt and reads the response. Never throws for what a destination does.</summary>
    /// <param name="message">The message.</param>
    /// <param name="body">The request's body.</param>
    /// <param name="retried">How many retries there were before.</param>
    /// <param name="signature">The request's signature.</param>
    /// <param name="trace">The trace context that goes along; null for none.</param>
    /// <param name="most">The most that is read of the response, in bytes.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="OperationCanceledException">When <paramref name="cancellation"/> ends it before an answer.</exception>
    /// <exception cref="OwnLimitException">Nothing was sent, for this process has nothing left to send it with.</exception>
    public async Task<AttemptOutcome> SendAsync(
        Message message, byte[] body, int retried, string signature, TraceContext? trace, int most, CancellationToken cancellation)
    {
        var limit = message.TimeoutMs is > 0 and var ms && ms < _options.MaxTimeout.TotalMilliseconds
            ? TimeSpan.FromMilliseconds(ms)
            : _options.MaxTimeout;
        using var timeout = new CancellationTokenSource(limit, _time);
        using var either = cancellation.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation)
            : null;
        using var exchange = new Exchange(_time, limit);
        exchange.Enter();
        try
        {
            using var request = OutboundRequest.Create(message, body, retried, signature, _options.Region, trace);
            using var response = await ClientOf(message, request).SendAsync(request, exchange, either?.Token ?? timeout.Token);
            // Below 100 there is none (RFC 9110 §15).
            if ((int)response.StatusCode < 100)
                return new AttemptOutcome.NoResponse($"the answer has no HTTP status: {(int)response.StatusCode:000}");
            // A callback carries the body, so all of it is waited for as long as the attempt may take.
            var isReported = message.Callback is not null || message.Run is { Role: RunRole.Call };
            var bodyTime = isReported && exchange.Left > BodyTime ? exchange.Left : BodyTime;
            var (answer, isCut) = await AnswerBody.ReadAsync(response, most, bodyTime, _time, cancellation);
            return new AttemptOutcome.Response((int)response.StatusCode, OutboundRequest.ResponseHeaders(response), answer) { IsBodyCut = isCut };
        }
        catch (Exception error) when (IsUnsent(error, exchange) && OwnLimits.Reason(error) is { } reason)
        {
            throw new OwnLimitException(reason, error);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new AttemptOutcome.NoResponse(FailureText.OfTime(limit, timeout.IsCancellationRequested));
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException or UriFormatException)
        {
            return new AttemptOutcome.NoResponse(FailureText.Of(error));
        }
    }

    public void Dispose()
    {
        _toDestinations.Dispose();
        _toProvider.Dispose();
        _lookups.Dispose();
    }

    private static bool IsUnsent(Exception error, Exchange exchange) =>
        error is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError }
        || (!exchange.HasBegun && error is not OperationCanceledException);

    private OutboundClient ClientOf(Message message, HttpRequestMessage request)
    {
        if (message.Api != LlmProvider.Api)
            return _toDestinations;
        _llm.Address(request);
        return _toProvider;
    }
}
