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

    public async ValueTask<bool> GatherAsync(string queue, CancellationToken cancellation = default)
    {
        if (_spread is not { } spread || queue != spread.Queue)
            return true;
        if (_time.GetUtcNow() - _lookedAt >= s_lookAgain)
            (_left, _lookedAt) = (spread.Beyond, _time.GetUtcNow());
        var (left, isAll) = (new List<string>(), true);
        foreach (var name in _left)
        {
            if (await EmptyAsync(name, queue, cancellation) is not { } isEmpty)
                continue;
            left.Add(name);
            isAll &= isEmpty;
        }
        _left = left;
        return isAll;
    }

    // Null when there is no such queue.
    private async Task<bool?> EmptyAsync(string name, string into, CancellationToken cancellation)
    {
        try
        {
            for (var round = 0; round < MostRounds; round++)
            {
                var leases = await TakeAsync(_queues.Open(name), name, MaxReceive, s_gatherLease, cancellation);
                if (leases.Count == 0)
                    return true;
                await Task.WhenAll(leases.Select(lease => MoveAsync(lease, into, cancellation)));
            }
            return false;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    // Whoever dies in between leaves it twice, and not lost.
    private async Task MoveAsync(Lease lease, string into, CancellationToken cancellation)
    {
        await SendAsync(new Send(into, lease.Text), cancellation);
        await DeleteAsync(lease, cancellation);
    }
}
