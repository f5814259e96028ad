using Microsoft.Extensions.Logging;

namespace FuncStash.Storage;

/// <summary>
/// Trouble of the storage: it failed, and has taken no write since. Meanwhile nothing new is sent, for what became of it
/// could not be stored.
/// </summary>
/// <remarks>From the first failure on a small write is tried again and again, with growing pauses; the first that succeeds ends it.</remarks>
public sealed partial class StoreTrouble(IStore store, TimeProvider time, ILogger<StoreTrouble> log) : IDisposable
{
    private const string Table = "upkeep", Partition = "trouble", Row = "tried";

    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(100), s_longestPause = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _closed = new();
    private volatile Task _over = Task.CompletedTask;
    private volatile string? _reason;

    /// <summary>What is wrong, in words for everybody; null when nothing is, as far as anybody knows.</summary>
    public string? Reason => _reason;

    /// <summary>Whether an error is the storage's own and no fault of what was asked.</summary>
    public bool IsFault(Exception error) => store.IsFault(error);

    /// <summary>Takes note of a failure of the storage.</summary>
    /// <returns>What is wrong, in words for everybody.</returns>
    public string Note(Exception fault)
    {
        var reason = store.FaultText(fault);
        lock (_lock)
        {
            if (_reason is null)
            {
                LogBegun(log, fault, reason);
                _reason = reason;
                _over = TryAsync();
            }
            return _reason = reason;
        }
    }

    /// <summary>Waits until it is over; at once when there is none.</summary>
    public Task OverAsync(CancellationToken stop) => _over.WaitAsync(stop);

    /// <summary>A small write: whether the storage takes any.</summary>
    public async Task WriteAsync(CancellationToken cancellation)
    {
        var row = new Entity(Partition, Row, new Dictionary<string, object> { ["At"] = time.GetUtcNow().ToUnixTimeMilliseconds() });
        await store.Tables.CommitAsync(new Commit(Table, Partition, [new Write.Upsert(row)]), cancellation);
    }

    public void Dispose()
    {
        _closed.Cancel();
        _closed.Dispose();
    }

    private async Task TryAsync()
    {
        var stop = _closed.Token;
        for (var pause = s_firstPause; ; pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause)
        {
            await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
                return;
            try
            {
                await WriteAsync(stop);
                break;
            }
            catch (Exception error)
            {
                LogGoesOn(log, error);
            }
        }
        lock (_lock)
            _reason = null;
        LogOver(log);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the storage takes no writes, nothing is sent until it does: {Reason}")]
    private static partial void LogBegun(ILogger log, Exception fault, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "the storage still takes no writes")]
    private static partial void LogGoesOn(ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the storage takes writes again")]
    private static partial void LogOver(ILogger log);
}
