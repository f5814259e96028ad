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
        var (done, failed, reported) = (0, 0, 0);
        var failures = new List<(DlqId, string)>();
        await foreach (var some in ids.Chunk(SideBySide).WithCancellation(cancellation))
        {
            var refusals = await Task.WhenAll(some.Select(id => RunAsync(action, id, changes, cancellation)));
            for (var i = 0; i < some.Length; i++)
            {
                if (refusals[i] is not { } refusal)
                {
                    done++;
                    continue;
                }
                failed++;
                if (failures.Count < MaxFailures)
                    failures.Add((some[i], refusal));
            }
            if (done + failed - reported < Report)
                continue;
            reported = done + failed;
            yield return new BulkProgress(done, failed, [.. failures], IsEnd: false);
        }
        yield return new BulkProgress(done, failed, failures, IsEnd: true);
    }

    // Why it failed; null when it is done, or somebody else did it meanwhile.
    private async Task<string?> RunAsync(DeadLetterAction action, DlqId id, PublishSettings changes, CancellationToken cancellation)
    {
        try
        {
            if (id.IsOfRun)
                return "it is of a workflow run, on whose page it can be resumed";
            if (action == DeadLetterAction.Delete)
            {
                await retry.DeleteAsync(id, cancellation);
                return null;
            }
            return await retry.RetryAsync(id, changes, cancellation) is { Deduplicated: true } published
                ? $"its deduplication id belongs to {published.Id.Text}, which was published in the last minutes; it stays here"
                : null;
        }
        catch (Exception error) when (error is QStashException or InvalidDataException)
        {
            return error.Message;
        }
    }
}
