using System.Runtime.CompilerServices;
using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Wire;

namespace FuncStash.Console.DeadLetters;

/// <summary>Retries or deletes many dead letters, some side by side; one that cannot be does no harm to the others.</summary>
public sealed class BulkAction(DeadLetterReader reader, DeadLetterRetry retry)
{
    private const int SideBySide = 32, Report = 512, MaxFailures = 50;

    /// <summary>Works through all that a query finds, oldest first, and tells now and then how far it is.</summary>
    /// <param name="action">What.</param>
    /// <param name="query">To which.</param>
    /// <param name="changes">Settings that beat those they had, where they are sent again.</param>
    /// <param name="cancellation">Stops it.</param>
    public IAsyncEnumerable<BulkProgress> RunAsync(
        DeadLetterAction action, DeadLetterQuery query, PublishSettings changes, CancellationToken cancellation) =>
        RunAsync(action, reader.ReadAsync(query, cancellation).Select(letter => letter.Id), changes, cancellation);

    /// <summary>The same for single ones.</summary>
    public async IAsyncEnumerable<BulkProgress> RunAsync(
        DeadLetterAction action, IAsyncEnumerable<DlqId> ids, PublishSettings changes, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (done, gone, failed, reported) = (0, 0, 0, 0);
        var failures = new List<(DlqId, string)>();
        await foreach (var some in ids.Chunk(SideBySide).WithCancellation(cancellation))
        {
            var outcomes = await Task.WhenAll(some.Select(id => RunAsync(action, id, changes, cancellation)));
            for (var i = 0; i < some.Length; i++)
            {
                var (isDone, refusal) = outcomes[i];
                if (isDone)
                    done++;
                else if (refusal is null)
                    gone++;
                else if (++failed <= MaxFailures)
                    failures.Add((some[i], refusal));
            }
            if (done + gone + failed - reported < Report)
                continue;
            reported = done + gone + failed;
            yield return new BulkProgress(done, gone, failed, [.. failures], IsEnd: false);
        }
        yield return new BulkProgress(done, gone, failed, failures, IsEnd: true);
    }

    // Without a reason where it is not done, somebody else did it meanwhile.
    private async Task<(bool IsDone, string? Refusal)> RunAsync(DeadLetterAction action, DlqId id, PublishSettings changes, CancellationToken cancellation)
    {
        try
        {
            if (id.IsOfRun)
                return (false, "it is of a workflow run, on whose page it can be resumed");
            if (action == DeadLetterAction.Delete)
                return (await retry.DeleteAsync(id, cancellation), null);
            var published = await retry.RetryAsync(id, changes, cancellation);
            return published is { Deduplicated: true }
                ? (false, $"its deduplication id belongs to {published.Id.Text}, which was published in the last minutes; it stays here")
                : (published is not null, null);
        }
        catch (Exception error) when (error is QStashException or InvalidDataException)
        {
            return (false, error.Message);
        }
    }
}
