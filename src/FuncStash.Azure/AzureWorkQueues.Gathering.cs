using Azure;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>What is left in queues of a time when the queue lay in more of them.</summary>
internal sealed partial class AzureWorkQueues
{
    // Some thousand messages: whoever asks has other things to do too.
    private const int MostRounds = 32;

    private static readonly TimeSpan s_gatherLease = TimeSpan.FromSeconds(30), s_lookAgain = TimeSpan.FromHours(1);

    // Those that were there an hour ago at most; each is asked at every call, the others when that hour is over.
    private IReadOnlyList<string> _left = options.Spread?.Beyond ?? [];
    private DateTimeOffset _lookedAt = options.Time.GetUtcNow();
    private readonly Lock _gatheringLock = new();
    private Task<bool> _gathering = Task.FromResult(true);

    public async ValueTask<bool> GatherAsync(string queue, CancellationToken cancellation = default)
    {
        if (_spread is not { } spread || queue != spread.Queue)
            return true;
        // One at a time: who comes meanwhile waits for the same.
        Task<bool> gathering;
        lock (_gatheringLock)
            gathering = _gathering = _gathering.IsCompleted ? GatherAsync(spread, queue) : _gathering;
        return await gathering.WaitAsync(cancellation);
    }

    private async Task<bool> GatherAsync(QueueSpread spread, string queue)
    {
        if (_time.GetUtcNow() - _lookedAt >= s_lookAgain)
            (_left, _lookedAt) = (spread.Beyond, _time.GetUtcNow());
        var (left, isAll) = (new List<string>(), true);
        foreach (var name in _left)
        {
            if (await EmptyAsync(name, queue) is not { } isEmpty)
                continue;
            left.Add(name);
            isAll &= isEmpty;
        }
        _left = left;
        return isAll;
    }

    // Null when there is no such queue.
    private async Task<bool?> EmptyAsync(string name, string into)
    {
        try
        {
            for (var round = 0; round < MostRounds; round++)
            {
                var leases = await TakeAsync(_queues.Open(name), name, MaxReceive, s_gatherLease, CancellationToken.None);
                if (leases.Count == 0)
                    return true;
                await Task.WhenAll(leases.Select(lease => MoveAsync(lease, into)));
            }
            return false;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    // Whoever dies in between leaves it twice, and not lost.
    private async Task MoveAsync(Lease lease, string into)
    {
        await SendAsync(new Send(into, lease.Text), CancellationToken.None);
        await DeleteAsync(lease, CancellationToken.None);
    }
}
