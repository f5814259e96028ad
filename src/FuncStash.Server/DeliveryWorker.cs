using System.Collections.Concurrent;
using FuncStash.Delivery;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Server;

/// <summary>Takes deliveries off the work queue and runs them side by side. One a process; several processes may share a queue.</summary>
/// <remarks>Entered once the server listens, since one whose port is taken must not deliver; at shut-down it takes no more and lets those in flight end.</remarks>
internal sealed partial class DeliveryWorker(
    IStore store, StoreTrouble trouble, DeliveryService deliveries, FuncStashOptions options, IHostApplicationLifetime lifetime, TimeProvider time,
    ILogger<DeliveryWorker> log) : BackgroundService
{
    private const int MaxBatch = 64, Together = 8, MaxTries = 10;

    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<Lease, long> _inFlight = new();
    private readonly ConcurrentDictionary<string, int> _failures = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _places = new(Places(options));
    private readonly RunPatience _runs = new(store, time);
    private CancellationToken _stopping;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await ListensAsync(stoppingToken))
            return;
        _runs.Listens();
        _stopping = stoppingToken;
        using var ended = new CancellationTokenSource();
        var renewing = RenewAsync(ended.Token);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ReceiveAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
            }
            catch (Exception error)
            {
                LogReceiveFailed(log, error);
                await Task.Delay(TimeSpan.FromSeconds(1), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        for (var i = 0; i < Places(options); i++)
            await _places.WaitAsync(CancellationToken.None);
        await ended.CancelAsync();
        await renewing;
    }

    private static int Places(FuncStashOptions options) => options.MaxParallelism + DestinationLanes.MostWaiting;

    private async Task<bool> ListensAsync(CancellationToken stop)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return started.Task.IsCompletedSuccessfully;
    }

    public override void Dispose()
    {
        _places.Dispose();
        base.Dispose();
    }

    private async Task ReceiveAsync(CancellationToken stop)
    {
        await trouble.OverAsync(stop);
        await _places.WaitAsync(stop);
        var places = 1;
        while (places < MaxBatch && _places.Wait(0, CancellationToken.None))
            places++;
        IReadOnlyList<Lease> leases = [];
        try
        {
            leases = await store.Queues.ReceiveAsync(WorkItem.Queue, places, s_lease, s_wait, stop);
        }
        finally
        {
            if (places > leases.Count)
                _places.Release(places - leases.Count);
        }
        foreach (var lease in leases)
            _inFlight[lease] = time.GetTimestamp();
        foreach (var some in leases.Chunk(Together))
            ThreadPool.UnsafeQueueUserWorkItem(Run, some, preferLocal: false);
    }

    // A few in a row on one thread, each as far as its request is sent, while the loop goes on receiving.
    private void Run(Lease[] leases)
    {
        foreach (var lease in leases)
            _ = RunAsync(lease);
    }

    private async Task RunAsync(Lease lease)
    {
        try
        {
            // It may have begun since this was received.
            await trouble.OverAsync(_stopping);
            if (_runs.Of(lease.Text) is var rest && rest > TimeSpan.Zero)
                await store.Queues.RenewAsync(lease, rest);
            else if (await deliveries.RunAsync(lease.Text, lease) is null)
                await PoisonAsync(lease, 1, null);
            _failures.TryRemove(lease.Text, out _);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            await FailAsync(lease, error);
        }
        finally
        {
            _inFlight.TryRemove(lease, out _);
            _places.Release();
        }
    }

    // Storage that failed is asked again later, however long it takes. Messages that fail are the service's affair; what
    // fails here all the same, such as a wake-up of a gate that nobody can read, is set aside.
    private async Task FailAsync(Lease lease, Exception error)
    {
        if (store.IsFault(error))
            trouble.Note(error);
        try
        {
            // Not the dequeue count: a message that is retried often is received often.
            var tries = _failures.AddOrUpdate(lease.Text, 1, static (_, count) => count + 1);
            if (tries >= MaxTries && !store.IsFault(error))
            {
                _failures.TryRemove(lease.Text, out _);
                await PoisonAsync(lease, tries, error);
                return;
            }
            LogStepFailed(log, error, lease.Text, tries);
            await store.Queues.RenewAsync(lease, TimeSpan.FromSeconds(Math.Min(60, 1 << Math.Min(tries, 6))));
        }
        catch (Exception second)
        {
            // The lease runs out by itself.
            LogRenewFailed(log, second, lease.Text);
        }
    }

    private async Task PoisonAsync(Lease lease, int tries, Exception? error)
    {
        LogPoison(log, error, lease.Text, tries);
        await store.Queues.PoisonAsync(lease);
    }

    // Attempts may take longer than a lease.
    private async Task RenewAsync(CancellationToken ended)
    {
        using var timer = new PeriodicTimer(s_lease / 4, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                foreach (var (lease, since) in _inFlight)
                {
                    if (time.GetElapsedTime(since) > s_lease / 4)
                        await RenewAsync(lease);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task RenewAsync(Lease lease)
    {
        try
        {
            if (_inFlight.ContainsKey(lease))
                await store.Queues.RenewAsync(lease, s_lease);
        }
        catch (Exception error)
        {
            LogRenewFailed(log, error, lease.Text);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "receiving deliveries failed")]
    private static partial void LogReceiveFailed(ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "delivery {Ticket} failed on try {Tries} and is tried again")]
    private static partial void LogStepFailed(ILogger log, Exception error, string ticket, int tries);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the lease of delivery {Ticket} could not be renewed and runs out")]
    private static partial void LogRenewFailed(ILogger log, Exception error, string ticket);

    [LoggerMessage(Level = LogLevel.Critical, Message = "delivery {Ticket} cannot be handled after {Tries} tries: moved to the poison queue")]
    private static partial void LogPoison(ILogger log, Exception? error, string ticket, int tries);
}
