using System.Runtime.CompilerServices;

namespace FuncStash.Client;

/// <summary>The dead letter queue: messages that have failed for good. Safe for use by many threads.</summary>
public class DlqClient
{
    private const string Path = "/v2/dlq", Retry = "/v2/dlq/retry";
    private readonly Transport _transport;

    internal DlqClient(Transport transport) => _transport = transport;

    /// <summary>For stand-ins in tests, which override what they need.</summary>
    protected DlqClient() => _transport = null!;

    /// <summary>One message.</summary>
    /// <param name="dlqId">Its id in the dead letter queue.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The message.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual async Task<DlqMessage> GetAsync(string dlqId, CancellationToken cancellationToken = default)
    {
        var message = await _transport.SendAsync(
            ApiRequest.Get(RequestPath.Of(Path + "/", dlqId, argument: nameof(dlqId))), WireJson.Default.DlqMessage, cancellationToken)
            .ConfigureAwait(false);
        // The service may leave out what the caller knows.
        return message.DlqId is { Length: > 0 } ? message : message with { DlqId = dlqId };
    }

    /// <summary>All messages that match, page by page as they are asked for.</summary>
    /// <param name="filter">Which messages; all when null.</param>
    /// <param name="pageSize">How many in each call, from 1 to 100; the service's own default when null.</param>
    /// <param name="order">By the time of the final failure; the earliest first when null.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <returns>The messages.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual IAsyncEnumerable<DlqMessage> ListAsync(
        DlqFilter? filter = null, int? pageSize = null, ListOrder? order = null, CancellationToken cancellationToken = default) =>
        Pages.AllAsync((cursor, cancellation) => GetPageAsync(filter, pageSize, cursor, order, cancellation), cancellationToken);

    /// <summary>One page of the messages that match.</summary>
    /// <param name="filter">Which messages; all when null.</param>
    /// <param name="pageSize">How many at most, from 1 to 100; the service's own default when null.</param>
    /// <param name="cursor">The cursor of the page before; null for the first page.</param>
    /// <param name="order">By the time of the final failure; the earliest first when null. The same on every page.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The page.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual async Task<CursorPage<DlqMessage>> GetPageAsync(
        DlqFilter? filter = null, int? pageSize = null, string? cursor = null, ListOrder? order = null,
        CancellationToken cancellationToken = default)
    {
        filter ??= new DlqFilter();
        var query = filter.AddTo(new QueryText().Add("count", pageSize)).Add("order", order?.Text()).Add("cursor", cursor);
        var answer = await _transport.SendAsync(ApiRequest.Get(Path + query), WireJson.Default.DlqList, cancellationToken).ConfigureAwait(false);
        return Pages.Of(answer.Messages?.Where(filter.Matches).ToArray(), answer.Cursor);
    }

    /// <summary>Sends a message again, as a new one with the same body and settings; it leaves the dead letter queue.</summary>
    /// <param name="dlqId">Its id in the dead letter queue.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The new message.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual async Task<PublishedMessage> RetryAsync(string dlqId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(dlqId);
        var answer = await RetryAsync(new QueryText().Add("dlqIds", dlqId), cancellationToken).ConfigureAwait(false);
        return answer.Items is [var message] ? message
            : throw new QStashRequestException($"The service answered with {answer.Items.Count} messages for one.", 200);
    }

    /// <summary>Sends messages again, 100 in each call, as the new ones are asked for.</summary>
    /// <param name="dlqIds">Their ids in the dead letter queue.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>The new messages.</returns>
    /// <exception cref="QStashRequestException">404 when one of a call's ids is unknown: then none of that call was sent.</exception>
    public virtual async IAsyncEnumerable<PublishedMessage> RetryManyAsync(
        IEnumerable<string> dlqIds, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var some in dlqIds.Chunk(Ids.PerCall))
        {
            var answer = await RetryAsync(new QueryText().Add("dlqIds", some), cancellationToken).ConfigureAwait(false);
            foreach (var message in answer.Items)
                yield return message;
        }
    }

    /// <summary>
    /// Sends the messages that match again, call by call as the new ones are asked for. One that fails again while this goes
    /// on is not sent a third time, as far as this machine's clock agrees with the service's.
    /// </summary>
    /// <param name="filter">Which messages; it must not be empty.</param>
    /// <param name="pageSize">How many in each call, from 1 to 100.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>The new messages.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    /// <exception cref="ArgumentException">The filter is empty.</exception>
    public virtual IAsyncEnumerable<PublishedMessage> RetryWhereAsync(
        DlqFilter filter, int pageSize = Ids.PerCall, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        filter.ToBulkQuery(nameof(RetryAllAsync));
        return RetryPagesAsync(filter, pageSize, cancellationToken);
    }

    /// <summary>Sends every message of the dead letter queue again, as <see cref="RetryWhereAsync"/> does those that match.</summary>
    /// <param name="pageSize">How many in each call, from 1 to 100.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>The new messages.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual IAsyncEnumerable<PublishedMessage> RetryAllAsync(
        int pageSize = Ids.PerCall, CancellationToken cancellationToken = default) =>
        RetryPagesAsync(new DlqFilter(), pageSize, cancellationToken);

    /// <summary>Deletes a message.</summary>
    /// <param name="dlqId">Its id in the dead letter queue.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is gone.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual Task DeleteAsync(string dlqId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(
            new ApiRequest(HttpMethod.Delete, RequestPath.Of(Path + "/", dlqId, argument: nameof(dlqId))), cancellationToken);

    /// <summary>Deletes messages, 100 in each call.</summary>
    /// <param name="dlqIds">Their ids in the dead letter queue; unknown ones are passed over.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual async Task<int> DeleteManyAsync(IEnumerable<string> dlqIds, CancellationToken cancellationToken = default)
    {
        var deleted = 0;
        foreach (var some in dlqIds.Chunk(Ids.PerCall))
            deleted += (await DeleteAsync(new QueryText().Add("dlqIds", some), cancellationToken).ConfigureAwait(false)).Deleted;
        return deleted;
    }

    /// <summary>Deletes some of the messages that match, in one call; by their error they are listed first.</summary>
    /// <param name="filter">Which messages; it must not be empty.</param>
    /// <param name="pageSize">How many at most, from 1 to 100.</param>
    /// <param name="cursor">The cursor of the call before; null for the first.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>How many were deleted, and how to go on.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    /// <exception cref="ArgumentException">The filter is empty.</exception>
    public virtual Task<DlqDeletion> DeletePageAsync(
        DlqFilter filter, int pageSize = Ids.PerCall, string? cursor = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        filter.ToBulkQuery(nameof(DeleteAllAsync));
        return DeletePageOfAsync(filter, pageSize, cursor, cancellationToken);
    }

    /// <summary>Deletes the messages that match, 100 in each call.</summary>
    /// <param name="filter">Which messages; it must not be empty.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    /// <exception cref="ArgumentException">The filter is empty.</exception>
    public virtual Task<int> DeleteWhereAsync(DlqFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        filter.ToBulkQuery(nameof(DeleteAllAsync));
        return DeletePagesAsync(filter, cancellationToken);
    }

    /// <summary>Deletes every message of the dead letter queue, 100 in each call.</summary>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<int> DeleteAllAsync(CancellationToken cancellationToken = default) =>
        DeletePagesAsync(new DlqFilter(), cancellationToken);

    // What fails again comes back behind the cursor: without an end in time the calls might never end.
    private IAsyncEnumerable<PublishedMessage> RetryPagesAsync(DlqFilter filter, int pageSize, CancellationToken cancellation)
    {
        var rest = filter;
        return Pages.AllAsync(
            (cursor, stop) =>
            {
                var which = cursor is null ? filter : rest;
                if (cursor is null)
                    rest = filter with { ToDate = filter.ToDate ?? _transport.Now };
                return which.Error is null
                    ? RetryAsync(which.AddTo(new QueryText()).Add("count", pageSize).Add("cursor", cursor), stop)
                    : RetryListedAsync(which, pageSize, cursor, stop);
            },
            cancellation);
    }

    // A service that does not know the condition would send all the others as well: so those are named that have this error.
    private async Task<CursorPage<PublishedMessage>> RetryListedAsync(DlqFilter filter, int pageSize, string? cursor, CancellationToken cancellation)
    {
        var page = await GetPageAsync(filter, pageSize, cursor, cancellationToken: cancellation).ConfigureAwait(false);
        if (page.Items.Count == 0)
            return Pages.Of<PublishedMessage>([], page.Cursor);
        var answer = await RetryAsync(IdsOf(page), cancellation).ConfigureAwait(false);
        return Pages.Of(answer.Items, page.Cursor);
    }

    private static QueryText IdsOf(CursorPage<DlqMessage> page) => new QueryText().Add("dlqIds", [.. page.Items.Select(message => message.DlqId)]);

    private async Task<CursorPage<PublishedMessage>> RetryAsync(QueryText query, CancellationToken cancellation)
    {
        // Made twice, the second would find the messages gone and not tell what they have become.
        var answer = await _transport.SendAsync(
            new ApiRequest(HttpMethod.Post, Retry + query), WireJson.Default.DlqRetryAnswer, cancellation).ConfigureAwait(false);
        return Pages.Of(answer.Responses, answer.Cursor);
    }

    private async Task<int> DeletePagesAsync(DlqFilter filter, CancellationToken cancellation)
    {
        var deleted = 0;
        string? cursor = null;
        do
        {
            var page = await DeletePageOfAsync(filter, Ids.PerCall, cursor, cancellation).ConfigureAwait(false);
            (deleted, cursor) = (deleted + page.Deleted, page.Cursor);
        }
        while (cursor is not null);

        return deleted;
    }

    private async Task<DlqDeletion> DeletePageOfAsync(DlqFilter filter, int pageSize, string? cursor, CancellationToken cancellation)
    {
        if (filter.Error is null)
            return await DeleteAsync(filter.AddTo(new QueryText()).Add("count", pageSize).Add("cursor", cursor), cancellation).ConfigureAwait(false);
        // As RetryListedAsync does.
        var page = await GetPageAsync(filter, pageSize, cursor, cancellationToken: cancellation).ConfigureAwait(false);
        var deleted = page.Items.Count == 0 ? 0 : (await DeleteAsync(IdsOf(page), cancellation).ConfigureAwait(false)).Deleted;
        return new DlqDeletion { Deleted = deleted, Cursor = page.Cursor };
    }

    private Task<DlqDeletion> DeleteAsync(QueryText query, CancellationToken cancellation) =>
        _transport.SendAsync(new ApiRequest(HttpMethod.Delete, Path + query), WireJson.Default.DlqDeletion, cancellation);
}

internal sealed record DlqList(IReadOnlyList<DlqMessage>? Messages, string? Cursor);

internal sealed record DlqRetryAnswer(IReadOnlyList<PublishedMessage>? Responses, string? Cursor);
