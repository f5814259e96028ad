using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>Ends runs: because their workflow has returned, or because somebody wants them ended (protocol#end-of-a-run).</summary>
public sealed class RunEnds(RunStore runs, RunIndex index, RunTurns turns, RunDebts debts, FuncStashOptions options, TimeProvider time)
{
    /// <summary>Takes note that the workflow has returned. Once more does no harm.</summary>
    /// <exception cref="QStashException">404 for an unknown run, 400 for one that was cancelled or has failed.</exception>
    public async ValueTask FinishAsync(string runId, byte[] result, CancellationToken cancellation = default)
    {
        if (result.Length > options.Workflows.MaxPayloadBytes)
            throw new QStashException(412, $"workflow run is too large: a result of {result.Length} bytes, at most {options.Workflows.MaxPayloadBytes}");
        var key = await FindAsync(runId, cancellation);
        var name = await runs.StoreAsync(key, result, cancellation);
        var finish = await FinishAsync(key, name is null && result.Length > 0 ? result : null, name, cancellation);
        if (finish is { } change)
        {
            if (change.Debts.Count > 0)
                await debts.SettleAsync(key, CancellationToken.None);
            return;
        }
        if (name is not null)
            await runs.RemoveBodyAsync(name, CancellationToken.None);
        if ((await runs.GetAsync(key, cancellation) ?? throw RunRules.NotFound(runId)).Progress.State != RunState.Success)
            throw RunRules.Over();
    }

    // Null when the run is not under way.
    private async ValueTask<RunChange?> FinishAsync(MessageId key, byte[]? result, string? name, CancellationToken cancellation)
    {
        using (await turns.EnterAsync(key, cancellation))
        {
            while (await runs.LiveAsync(key, cancellation) is { } run)
            {
                var change = RunRules.Finish(run, result, name, Now);
                if (await runs.CommitAsync(run, change, cancellation: cancellation) is null)
                    return change;
            }
        }
        return null;
    }

    /// <summary>Cancels a run. False when there was nothing to cancel: it is unknown, or has ended.</summary>
    public async ValueTask<bool> CancelAsync(string runId, CancellationToken cancellation = default) =>
        await index.FindAsync(runId, fresh: true, cancellation) is { } key && await CancelAsync(key, cancellation);

    /// <summary>Cancels the run of a key. False when there was nothing to cancel.</summary>
    public async ValueTask<bool> CancelAsync(MessageId key, CancellationToken cancellation = default)
    {
        using (await turns.EnterAsync(key, cancellation))
        {
            while (true)
            {
                if (await runs.LiveAsync(key, cancellation) is not { } run)
                    return false;
                if (await runs.CommitAsync(run, RunRules.Cancel(run, Now), cancellation: cancellation) is null)
                    break;
            }
        }
        await debts.SettleAsync(key, CancellationToken.None);
        return true;
    }

    private async ValueTask<MessageId> FindAsync(string runId, CancellationToken cancellation) =>
        await index.FindAsync(runId, fresh: true, cancellation) ?? throw RunRules.NotFound(runId);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
