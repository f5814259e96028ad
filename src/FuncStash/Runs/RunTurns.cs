using FuncStash.Messages;

namespace FuncStash.Runs;

/// <summary>
/// Lets the changes of one run in this process be made one after the other: branches that end together would otherwise
/// conflict with each other again and again. Between processes the version of the run's row decides.
/// </summary>
public sealed class RunTurns
{
    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, 256).Select(_ => new SemaphoreSlim(1))];

    public async ValueTask<Turn> EnterAsync(MessageId key, CancellationToken cancellation = default)
    {
        var turn = _turns[(key.GetHashCode() & 0x7FFF_FFFF) % _turns.Length];
        await turn.WaitAsync(cancellation);
        return new Turn(turn);
    }

    public readonly struct Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
