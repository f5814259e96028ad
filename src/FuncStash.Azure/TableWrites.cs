using Azure;
using Azure.Data.Tables;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>The writes of one commit: a single operation, or one transaction of several.</summary>
/// <remarks>
/// When an answer is lost, the client library repeats the request, and an insert that had succeeded then fails with
/// "already exists", a replace with "version changed". So each row carries the random number of the commit that wrote
/// it, and a conflict after a lost answer is checked against the rows: the number is ours, the commit was applied.
/// Deletes leave no trace: when a commit of deletes alone finds its rows gone after a lost answer, it takes that for
/// its own doing, because the other reading would lose what was to follow the delete.
/// </remarks>
internal static class TableWrites
{
    /// <param name="table">The table.</param>
    /// <param name="commit">What to write, into the partition of its key, whatever its entities say.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static async Task<CommitResult> ApplyAsync(TableClient table, Commit commit, CancellationToken cancellation)
    {
        var number = Random.Shared.NextInt64();
        var doubt = Doubt.Watch();
        var result = commit.Writes.Count == 1
            ? await OneAsync(table, commit, number, cancellation)
            : await SeveralAsync(table, commit, number, cancellation);
        return result.Applied || !doubt.Raised
            ? result
            : await FindAppliedAsync(table, commit, number, cancellation) ?? result;
    }

    private static async Task<CommitResult> OneAsync(
        TableClient table, Commit commit, long number, CancellationToken cancellation)
    {
        try
        {
            var response = await (commit.Writes[0] switch
            {
                Write.Insert insert => table.AddEntityAsync(EntityMap.ToRow(insert.Entity, commit.PartitionKey, number), cancellation),
                Write.Upsert upsert => table.UpsertEntityAsync(
                    EntityMap.ToRow(upsert.Entity, commit.PartitionKey, number), TableUpdateMode.Replace, cancellation),
                Write.Replace replace => table.UpdateEntityAsync(
                    EntityMap.ToRow(replace.Entity, commit.PartitionKey, number), EntityMap.Version(replace.ETag), TableUpdateMode.Replace,
                    cancellation),
                Write.Delete delete => table.DeleteEntityAsync(
                    commit.PartitionKey, delete.Key, EntityMap.Version(delete.ETag), cancellation),
                _ => throw new InvalidOperationException("an unknown kind of write"),
            });

            // The client library takes a delete of nothing for a success.
            return response.Status == 404
                ? CommitResult.Conflict(0)
                : new CommitResult(null, [NewVersion(response)]);
        }
        catch (RequestFailedException e) when (IsConflict(e))
        {
            return CommitResult.Conflict(0);
        }
    }

    private static async Task<CommitResult> SeveralAsync(
        TableClient table, Commit commit, long number, CancellationToken cancellation)
    {
        try
        {
            var responses = await table.SubmitTransactionAsync(
                commit.Writes.Select(write => Action(commit, write, number)), cancellation);
            return new CommitResult(null, [.. responses.Value.Select(NewVersion)]);
        }
        catch (TableTransactionFailedException e) when (IsConflict(e) && e.FailedTransactionActionIndex is { } index)
        {
            return CommitResult.Conflict(index);
        }
    }

    private static TableTransactionAction Action(Commit commit, Write write, long number) => write switch
    {
        Write.Insert insert => new(TableTransactionActionType.Add, EntityMap.ToRow(insert.Entity, commit.PartitionKey, number)),
        Write.Upsert upsert => new(TableTransactionActionType.UpsertReplace, EntityMap.ToRow(upsert.Entity, commit.PartitionKey, number)),
        Write.Replace replace => new(
            TableTransactionActionType.UpdateReplace, EntityMap.ToRow(replace.Entity, commit.PartitionKey, number),
            EntityMap.Version(replace.ETag)),
        Write.Delete delete => new(
            TableTransactionActionType.Delete, new TableEntity(commit.PartitionKey, delete.Key),
            EntityMap.Version(delete.ETag)),
        _ => throw new InvalidOperationException("an unknown kind of write"),
    };

    private static async Task<CommitResult?> FindAppliedAsync(
        TableClient table, Commit commit, long number, CancellationToken cancellation)
    {
        var versions = new List<string>();
        bool ours = false, allGone = true, deletesOnly = true;
        foreach (var write in commit.Writes)
        {
            var found = await table.GetEntityIfExistsAsync<TableEntity>(
                commit.PartitionKey, write.RowKey, cancellationToken: cancellation);
            allGone &= !found.HasValue;
            deletesOnly &= write is Write.Delete;
            var written = found.HasValue && found.Value!.GetInt64(EntityMap.CommitProperty) == number;
            ours |= written;

            // A row that somebody changed since has a version that the caller must not get from here.
            versions.Add(write is Write.Delete ? "" : (written ? found.Value!.ETag : EntityMap.NoVersion).ToString());
        }
        return ours || (deletesOnly && allGone) ? new CommitResult(null, versions) : null;
    }

    private static string NewVersion(Response response) => response.Headers.ETag?.ToString() ?? "";

    private static bool IsConflict(RequestFailedException e) => (e.Status, e.ErrorCode) switch
    {
        (409, "EntityAlreadyExists") => true,
        (412, _) => true,
        (404, "ResourceNotFound" or "EntityNotFound") => true,
        _ => false,
    };
}
