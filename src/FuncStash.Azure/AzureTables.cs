using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>Rows in Azure Table storage.</summary>
internal sealed class AzureTables : ITables
{
    private const int MaxPage = 1000;

    private readonly OnFirstUse<TableClient> _tables;
    private readonly AzureWorkQueues _queues;
    private readonly DayPartitions _days;

    public AzureTables(TableServiceClient service, AzureStoreOptions options, AzureWorkQueues queues)
    {
        _tables = new(name => service.GetTableClient(options.TableName(name)), table => table.CreateIfNotExistsAsync());
        _queues = queues;
        _days = new DayPartitions(this, options.Time);
    }

    public async ValueTask<Entity?> GetAsync(
        string table, string partitionKey, string rowKey, IReadOnlyList<string>? only, CancellationToken cancellation = default)
    {
        EntityKeys.Checked(partitionKey);
        EntityKeys.Checked(rowKey);
        var key = await _days.KeyOfAsync(partitionKey, cancellation);
        var row = await _tables.Open(table).GetEntityIfExistsAsync<TableEntity>(
            key, rowKey, EntityMap.Select(only), cancellation);
        return row.HasValue ? EntityMap.FromRow(row.Value!, partitionKey) : null;
    }

    public async ValueTask<IReadOnlyList<Entity>> QueryAsync(
        string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only = null,
        CancellationToken cancellation = default)
    {
        var found = new List<Entity>();
        if (take <= 0)
            return found;
        EntityKeys.Checked(partitionKey);
        EntityKeys.Checked(range.From);
        var key = await _days.KeyOfAsync(partitionKey, cancellation);
        var rows = _tables.Open(table).QueryAsync<TableEntity>(
            Filter(key, range), Math.Min(take, MaxPage), EntityMap.Select(only), cancellation);
        try
        {
            // A page may hold fewer rows than asked for, even none, and still be followed by another.
            await foreach (var row in rows)
            {
                found.Add(EntityMap.FromRow(row, partitionKey));
                if (found.Count == take)
                    break;
            }
        }
        catch (RequestFailedException e) when (e.Status == 404 && e.ErrorCode == TableErrorCode.TableNotFound)
        {
            return [];
        }
        return found;
    }

    public async ValueTask<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation = default)
    {
        CommitLimits.Check(commit);
        cancellation.ThrowIfCancellationRequested();

        // A write that is given up on its way may be made all the same, and what was written promises what is sent: so from
        // here on nobody's impatience stops it.
        var result = new CommitResult(null, []);
        if (commit.Writes.Count > 0)
        {
            var placed = commit with { PartitionKey = await _days.KeyOfAsync(commit.PartitionKey, CancellationToken.None) };
            result = await _tables.UseAsync(
                commit.Table, table => TableWrites.ApplyAsync(table, placed, CancellationToken.None), CancellationToken.None);
        }
        if (!result.Applied)
            return result;

        await _queues.SendAsync(commit.Sends, CancellationToken.None);
        if (commit.LeaseEnd is { } end)
            await _queues.EndAsync(end, CancellationToken.None);
        return result;
    }

    private static string Filter(string partitionKey, RowRange range)
    {
        var filter = TableClient.CreateQueryFilter($"PartitionKey eq {partitionKey}");
        filter += range.Exclusive
            ? TableClient.CreateQueryFilter($" and RowKey gt {range.From}")
            : TableClient.CreateQueryFilter($" and RowKey ge {range.From}");
        return range.To is { } to ? filter + TableClient.CreateQueryFilter($" and RowKey lt {to}") : filter;
    }
}
