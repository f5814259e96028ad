using System.Collections.Concurrent;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>Work queues in Azure Queue storage. Delays and leases are whole seconds there, so ours are rounded up.</summary>
/// <remarks>
/// A send whose answer is lost is repeated and may arrive twice; a receive whose answer is lost holds its messages until
/// the lease runs out; a renewal whose answer is lost loses the lease. Each is within "at least once".
/// </remarks>
internal sealed partial class AzureWorkQueues(QueueServiceClient service, AzureStoreOptions options) : IWorkQueues
{
    private const int MaxReceive = 32;
    private static readonly TimeSpan s_forever = TimeSpan.FromSeconds(-1);
    private static readonly TimeSpan s_poisonLease = TimeSpan.FromSeconds(30);

    private readonly TimeProvider _time = options.Time;
    private readonly QueueSpread? _spread = options.Spread;
    private readonly ConcurrentDictionary<string, PollSchedule> _schedules = new(StringComparer.Ordinal);

    private readonly OnFirstUse<QueueClient> _queues = new(
        name => service.GetQueueClient(options.QueueName(name)), queue => queue.CreateIfNotExistsAsync());

    // Whose turn it is of several queues, to be sent to and to be asked.
    private uint _sendTurn, _receiveTurn;

    public async ValueTask SendAsync(IReadOnlyList<Send> sends, CancellationToken cancellation = default)
    {
        foreach (var send in sends)
            CheckDelay(send.Delay);
        if (sends.Count == 1)
            await SendAsync(sends[0], cancellation);
        else if (sends.Count > 1)
            await Task.WhenAll(sends.Select(send => SendAsync(send, cancellation)));
    }

    public async ValueTask<IReadOnlyList<Lease>> ReceiveAsync(
        string queue, int max, TimeSpan lease, TimeSpan wait, CancellationToken cancellation = default)
    {
        CheckDelay(lease);
        var names = NamesOf(queue);
        var start = _time.GetUtcNow();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var left = start + wait - _time.GetUtcNow();
            var isLast = left <= TimeSpan.Zero;
            var (hasAsked, first, waits) = (false, Interlocked.Increment(ref _receiveTurn), new List<PollSchedule.Turn>(names.Count));
            for (var i = 0; i < names.Count; i++)
            {
                var name = names[(int)((first + i) % names.Count)];
                var schedule = Schedule(name);
                var turn = schedule.Take();
                waits.Add(turn);

                // Nobody leaves with nothing unless each queue was asked during the wait, by whomever.
                if (!turn.IsNow && !(isLast && turn.LastEmpty <= start))
                    continue;
                var leases = await TakeAsync(name, max, lease, cancellation);
                if (leases.Count > 0)
                {
                    schedule.Found();
                    return leases;
                }
                schedule.Empty(turn);
                hasAsked = true;
            }
            if (isLast)
                return [];
            if (!hasAsked)
                await WaitAsync(waits, left, cancellation);
        }
    }

    public async ValueTask<bool> RenewAsync(Lease lease, TimeSpan visibleIn, CancellationToken cancellation = default)
    {
        CheckDelay(visibleIn);
        var held = AzureLease.Of(lease);
        var renewed = await held.UseAsync(
            receipt => UpdateAsync(held, receipt, visibleIn, cancellation), cancellation);
        if (renewed && visibleIn <= TimeSpan.Zero)
            Schedule(lease.Queue).Sent();
        return renewed;
    }

    public async ValueTask<bool> DeleteAsync(Lease lease, CancellationToken cancellation = default)
    {
        var held = AzureLease.Of(lease);
        var deleted = false;
        await held.UseAsync(
            async receipt =>
            {
                deleted = await DeleteAsync(held, receipt, cancellation);
                return null;
            },
            cancellation);
        return deleted;
    }

    public async ValueTask<bool> PoisonAsync(Lease lease, CancellationToken cancellation = default)
    {
        // A message that somebody else holds by now is not ours to judge.
        if (!await RenewAsync(lease, s_poisonLease, cancellation))
            return false;
        await SendToAsync($"{lease.Queue}-poison", lease.Text, TimeSpan.Zero, cancellation);
        return await DeleteAsync(lease, cancellation);
    }

    public async ValueTask<long> CountAsync(string queue, CancellationToken cancellation = default) =>
        (await Task.WhenAll(NamesOf(queue).Select(name => CountOneAsync(name, cancellation)))).Sum();

    public IReadOnlyList<string> NamesOf(string queue) => queue == _spread?.Queue ? _spread.Names : [queue];

    public async ValueTask SendToEachAsync(string queue, string text, CancellationToken cancellation = default) =>
        await Task.WhenAll(NamesOf(queue).Select(name => SendToAsync(name, text, TimeSpan.Zero, cancellation)));

    public ValueTask<bool> EndAsync(LeaseEnd end, CancellationToken cancellation) => end.VisibleIn is { } visibleIn
        ? RenewAsync(end.Lease, visibleIn, cancellation)
        : DeleteAsync(end.Lease, cancellation);

    private Task SendAsync(Send send, CancellationToken cancellation)
    {
        var names = NamesOf(send.Queue);
        var name = names.Count == 1 ? names[0] : names[(int)(Interlocked.Increment(ref _sendTurn) % names.Count)];
        return SendToAsync(name, send.Text, send.Delay, cancellation);
    }

    private async Task SendToAsync(string name, string text, TimeSpan delay, CancellationToken cancellation)
    {
        await _queues.UseAsync(
            name,
            queue => queue.SendMessageAsync(text, WholeSeconds(delay), s_forever, cancellation),
            cancellation);
        if (delay <= TimeSpan.Zero)
            Schedule(name).Sent();
    }

    private Task<IReadOnlyList<Lease>> TakeAsync(string name, int max, TimeSpan lease, CancellationToken cancellation) =>
        _queues.UseAsync(name, queue => TakeAsync(queue, name, max, lease, cancellation), cancellation);

    private async Task<IReadOnlyList<Lease>> TakeAsync(
        QueueClient queue, string name, int max, TimeSpan lease, CancellationToken cancellation)
    {
        // To break off a receive would leave its messages held by nobody, so it gets a moment to come back.
        using var grace = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time);
        await using var registration = cancellation.Register(() => grace.CancelAfter(TimeSpan.FromSeconds(2)));
        var seconds = WholeSeconds(lease);
        var messages = await queue.ReceiveMessagesAsync(
            Math.Clamp(max, 1, MaxReceive), seconds > TimeSpan.Zero ? seconds : TimeSpan.FromSeconds(1), grace.Token);
        return [.. messages.Value.Select(message => new AzureLease(
            name, message.Body.ToString(), (int)message.DequeueCount, message.MessageId, message.PopReceipt))];
    }

    private async Task<long> CountOneAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var properties = await _queues.Open(name).GetPropertiesAsync(cancellation);
            return properties.Value.ApproximateMessagesCountLong;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return 0;
        }
    }

    private async Task<string?> UpdateAsync(
        AzureLease lease, string receipt, TimeSpan visibleIn, CancellationToken cancellation)
    {
        try
        {
            var updated = await _queues.Open(lease.Queue).UpdateMessageAsync(
                lease.MessageId, receipt, (string?)null, WholeSeconds(visibleIn), cancellation);
            return updated.Value.PopReceipt;
        }
        catch (RequestFailedException e) when (IsLost(e))
        {
            return null;
        }
    }

    private async Task<bool> DeleteAsync(AzureLease lease, string receipt, CancellationToken cancellation)
    {
        var doubt = Doubt.Watch();
        try
        {
            await _queues.Open(lease.Queue).DeleteMessageAsync(lease.MessageId, receipt, cancellation);
            return true;
        }
        catch (RequestFailedException e) when (IsLost(e))
        {
            // Gone after a lost answer: it was our own delete.
            return doubt.Raised && e.ErrorCode == QueueErrorCode.MessageNotFound;
        }
    }

    private static bool IsLost(RequestFailedException e) =>
        e.Status == 404 || (e.Status == 400 && e.ErrorCode == QueueErrorCode.PopReceiptMismatch);

    private PollSchedule Schedule(string name) => _schedules.GetOrAdd(
        name, _ => new PollSchedule(_time, _spread?.Names.Contains(name) is true ? _spread.Names.Count : 1));

    private async Task WaitAsync(List<PollSchedule.Turn> turns, TimeSpan atMost, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var next = turns.Min(turn => turn.Wait);
        await Task.WhenAny(turns.Select(turn => turn.Signal).Append(Task.Delay(next < atMost ? next : atMost, _time, over.Token)));
        await over.CancelAsync();
    }

    private static TimeSpan WholeSeconds(TimeSpan span) => TimeSpan.FromSeconds(Math.Ceiling(span.TotalSeconds));

    private static void CheckDelay(TimeSpan delay)
    {
        if (delay > IWorkQueues.MaxDelay || delay < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(delay), delay, "A delay or a lease is between 0 and 7 days.");
    }
}
