namespace FuncStash.Client;

/// <summary>The log of what happened to messages. Safe for use by many threads.</summary>
public class LogsClient
{
    private readonly Transport _transport;

    internal LogsClient(Transport transport) => _transport = transport;

    /// <summary>For stand-ins in tests, which override what they need.</summary>
    protected LogsClient() => _transport = null!;

    /// <summary>All entries that match, page by page as they are asked for.</summary>
    /// <param name="filter">Which entries; all when null.</param>
    /// <param name="pageSize">How many in each call, from 1 to 1000; the service's own default when null.</param>
    /// <param name="order">By the time of the entry; the latest first when null.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <returns>The entries.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual IAsyncEnumerable<LogEntry> ListAsync(
        LogFilter? filter = null, int? pageSize = null, ListOrder? order = null, CancellationToken cancellationToken = default) =>
        Pages.AllAsync((cursor, cancellation) => GetPageAsync(filter, pageSize, cursor, order, cancellation), cancellationToken);

    /// <summary>One page of the entries that match.</summary>
    /// <param name="filter">Which entries; all when null.</param>
    /// <param name="pageSize">How many at most, from 1 to 1000; the service's own default when null.</param>
    /// <param name="cursor">The cursor of the page before; null for the first page.</param>
    /// <param name="order">By the time of the entry; the latest first when null. The same on every page.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The page.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual async Task<CursorPage<LogEntry>> GetPageAsync(
        LogFilter? filter = null, int? pageSize = null, string? cursor = null, ListOrder? order = null,
        CancellationToken cancellationToken = default)
    {
        var query = new QueryText().Add("count", pageSize);
        (filter ?? new LogFilter()).AddTo(query).Add("order", order?.Text()).Add("cursor", cursor);
        var answer = await _transport.SendAsync(
            ApiRequest.Get("/v2/events" + query), WireJson.Default.LogList, cancellationToken).ConfigureAwait(false);
        return Pages.Of(answer.Events, answer.Cursor);
    }
}

internal sealed record LogList(IReadOnlyList<LogEntry>? Events, string? Cursor);
