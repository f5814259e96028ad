using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>Messages that are on their way: look at them, cancel them. Safe for use by many threads.</summary>
public class MessagesClient
{
    private const string Path = "/v2/messages";
    private readonly Transport _transport;

    internal MessagesClient(Transport transport) => _transport = transport;

    /// <summary>For stand-ins in tests, which override what they need.</summary>
    protected MessagesClient() => _transport = null!;

    /// <summary>A message that has not ended, or has only just.</summary>
    /// <param name="messageId">Its id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The message.</returns>
    /// <exception cref="QStashRequestException">404 when there is none, or it ended.</exception>
    public virtual Task<QStashMessage> GetAsync(string messageId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(
            ApiRequest.Get(RequestPath.Of(Path + "/", messageId, argument: nameof(messageId))),
            WireJson.Default.QStashMessage, cancellationToken);

    /// <summary>Cancels a message; an attempt that is on its way is not recalled.</summary>
    /// <param name="messageId">Its id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when the service has agreed.</returns>
    /// <exception cref="QStashRequestException">404 when there is none, or it ended.</exception>
    public virtual Task CancelAsync(string messageId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(
            new ApiRequest(HttpMethod.Delete, RequestPath.Of(Path + "/", messageId, argument: nameof(messageId))), cancellationToken);

    /// <summary>Cancels messages, 100 in each call.</summary>
    /// <param name="messageIds">Their ids; those that ended already are passed over.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>How many were cancelled.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual async Task<int> CancelManyAsync(IEnumerable<string> messageIds, CancellationToken cancellationToken = default)
    {
        var cancelled = 0;
        foreach (var some in messageIds.Chunk(Ids.PerCall))
            cancelled += await CancelAsync(new QueryText().Add("messageIds", some), cancellationToken).ConfigureAwait(false);
        return cancelled;
    }

    /// <summary>Cancels the messages that match.</summary>
    /// <param name="filter">Which messages; it must not be empty.</param>
    /// <param name="count">How many at most, from 1 to 500; all when null.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>How many were cancelled.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    /// <exception cref="ArgumentException">The filter is empty.</exception>
    public virtual Task<int> CancelWhereAsync(CancelFilter filter, int? count = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return CancelAsync(filter.ToBulkQuery(nameof(CancelAllAsync)).Add("count", count), cancellationToken);
    }

    /// <summary>Cancels every message there is.</summary>
    /// <param name="count">How many at most, from 1 to 500; all when null.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>How many were cancelled.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<int> CancelAllAsync(int? count = null, CancellationToken cancellationToken = default) =>
        CancelAsync(new QueryText().Add("count", count), cancellationToken);

    private async Task<int> CancelAsync(QueryText query, CancellationToken cancellation) =>
        (await _transport.SendAsync(
            new ApiRequest(HttpMethod.Delete, Path + query), WireJson.Default.CancelAnswer, cancellation).ConfigureAwait(false)).Cancelled;
}

internal sealed record CancelAnswer
{
    [JsonRequired]
    public int Cancelled { get; init; }
}
