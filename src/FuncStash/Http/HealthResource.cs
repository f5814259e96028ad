using FuncStash.Access;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Wire;
using Microsoft.Extensions.Logging;

namespace FuncStash.Http;

/// <summary>
/// For load balancers and orchestrators, without a token: <c>/health</c> tells that the process answers, <c>/ready</c>
/// that its storage does too and takes writes; 503 when not. Not part of QStash.
/// </summary>
public sealed partial class HealthResource(IStore store, StoreTrouble trouble, TimeProvider time, ILogger<HealthResource> log) : IResource
{
    /// <summary>How long the storage may take to answer: probes commonly give up after 5 s or more.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/health", AccessLevel.None, call => AnswerAsync(call, "healthy")),
        new("GET", "/ready", AccessLevel.None, ReadyAsync),
    ];

    private async Task ReadyAsync(ApiCall call)
    {
        if (trouble.Reason is { } known)
            throw NotReady(known);
        try
        {
            using var limit = new CancellationTokenSource(Limit, time);
            // A store that does not heed the token is not waited for either.
            await Task.WhenAll(store.PingAsync(limit.Token).AsTask(), trouble.WriteAsync(limit.Token)).WaitAsync(Limit, time, call.Aborted);
        }
        catch (Exception error) when (!call.Aborted.IsCancellationRequested)
        {
            // The cause may name accounts and files, which is not for everybody.
            LogNotReady(log, error);
            throw NotReady(trouble.Note(error));
        }
        await AnswerAsync(call, "ready");
    }

    private static QStashException NotReady(string reason) => new(503, $"not ready: {reason}");

    private static Task AnswerAsync(ApiCall call, string status) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteString("status", status);
        json.WriteString("version", ProductVersion.Text);
        json.WriteEndObject();
    });

    [LoggerMessage(Level = LogLevel.Warning, Message = "not ready")]
    private static partial void LogNotReady(ILogger log, Exception error);
}
