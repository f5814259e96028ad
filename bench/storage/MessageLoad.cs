using System.Globalization;
using FuncStash.Messages;

namespace FuncStash.Storage.Bench;

/// <summary>
/// The life of a plain message as storage sees it: stored with its event and queued; received, read; settled, which
/// deletes it on its version, adds three events and ends the lease. Each task has one message at a time on its way.
/// </summary>
internal sealed class MessageLoad(IStore store, int tasks, int bodyBytes, int partitions)
{
    private const string Table = "messages", Queue = "deliveries";

    private readonly byte[] _body = new byte[bodyBytes];

    private readonly SemaphoreSlim[] _settled = [.. Enumerable.Range(0, tasks).Select(_ => new SemaphoreSlim(0))];

    private long _ids;

    public async Task RunAsync(int messages)
    {
        using var done = new CancellationTokenSource();
        var pump = PumpAsync(done.Token);
        await Task.WhenAll(_settled.Select((_, task) => Task.Run(async () =>
        {
            for (var i = task; i < messages; i += tasks)
            {
                await PublishAsync(task);
                await _settled[task].WaitAsync(CancellationToken.None);
            }
        })));
        await done.CancelAsync();
        await pump;
    }

    private async Task PublishAsync(int task)
    {
        var id = Interlocked.Increment(ref _ids).ToString("x16", CultureInfo.InvariantCulture);
        var partition = Partition(id);
        var message = new Entity(partition, MessageKey(id), new Dictionary<string, object>
        {
            ["Url"] = "https://receiver.example.com/hooks/orders", ["Method"] = "POST", ["Created"] = 1_900_000_000_000L,
            ["Retries"] = 3L, ["Timeout"] = 900L, ["Signed"] = true, ["Attempt"] = 0L, ["Body"] = _body,
            ["Headers"] = "Content-Type: application/json\nUser-Agent: bench\nX-Order: 0123456789abcdef",
        });
        var result = await store.Tables.CommitAsync(
            new Commit(Table, partition, [new Write.Insert(message), Event(partition, id, "CREATED")])
            {
                Sends = [new Send(Queue, $"{id} {task}")],
            });
        Check(result);
    }

    private async Task PumpAsync(CancellationToken done)
    {
        try
        {
            while (true)
                foreach (var lease in await store.Queues.ReceiveAsync(
                    Queue, 64, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(1), done))
                    _ = Task.Run(() => SettleAsync(lease), CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task SettleAsync(Lease lease)
    {
        var id = lease.Text[..16];
        var partition = Partition(id);
        var message = await store.Tables.GetAsync(Table, partition, MessageKey(id))
            ?? throw new InvalidOperationException($"message {id} is lost");
        var result = await store.Tables.CommitAsync(
            new Commit(Table, partition,
            [
                new Write.Delete(message.RowKey, message.ETag), Event(partition, id, "ACTIVE"),
                Event(partition, id, "RESPONSE"), Event(partition, id, "DELIVERED"),
            ])
            {
                LeaseEnd = new LeaseEnd(lease),
            });
        Check(result);
        _settled[int.Parse(lease.Text.AsSpan(17), CultureInfo.InvariantCulture)].Release();
    }

    private static Write.Insert Event(string partition, string id, string state) =>
        new(new Entity(partition, $"e|{Newest(id)}|{state}|{id}", new Dictionary<string, object>
        {
            ["State"] = state, ["Time"] = 1_900_000_000_000L, ["MessageId"] = id,
            ["Url"] = "https://receiver.example.com/hooks/orders",
        }));

    private static string MessageKey(string id) => $"m|{Newest(id)}|{id}";

    // Later ids sort first, as the service lists messages and events.
    private static string Newest(string id) =>
        (long.MaxValue - long.Parse(id, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString("x16", CultureInfo.InvariantCulture);

    private string Partition(string id) =>
        $"p{long.Parse(id, NumberStyles.HexNumber, CultureInfo.InvariantCulture) % partitions:x2}";

    private static void Check(CommitResult result)
    {
        if (!result.Applied)
            throw new InvalidOperationException($"write {result.FailedWrite} conflicts");
    }
}
