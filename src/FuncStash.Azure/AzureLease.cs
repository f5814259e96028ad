using System.Diagnostics.CodeAnalysis;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>A message held through its pop receipt, which every renewal replaces.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is never asked for holds nothing to free.")]
internal sealed class AzureLease(string queue, string text, int dequeueCount, string messageId, string receipt)
    : Lease(queue, text, dequeueCount)
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private string? _receipt = receipt;

    public string MessageId { get; } = messageId;

    /// <summary>
    /// One call at a time with the receipt of the last; the call returns the receipt that follows, null when the
    /// message is no longer held. False when it is not held, before or after.
    /// </summary>
    public async ValueTask<bool> UseAsync(Func<string, Task<string?>> call, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            if (_receipt is not null)
                _receipt = await call(_receipt);
            return _receipt is not null;
        }
        finally
        {
            _turn.Release();
        }
    }

    public static AzureLease Of(Lease lease) => lease as AzureLease
        ?? throw new ArgumentException("The lease comes from another store.", nameof(lease));
}
