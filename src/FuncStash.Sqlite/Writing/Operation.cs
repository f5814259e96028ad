using System.Threading.Tasks.Sources;

namespace FuncStash.Sqlite.Writing;

/// <summary>
/// Something to write. The writer takes many, and calls for each: <see cref="Claim"/>, then <see cref="Apply"/> inside
/// the transaction they share, then <see cref="Publish"/> once that is durable and <see cref="Complete"/>; or
/// <see cref="Undo"/> when the transaction failed, and then all again, alone, or <see cref="Fail"/>.
/// </summary>
internal abstract class Operation
{
    /// <summary>About how many bytes it adds to the transaction.</summary>
    public virtual int Bytes => 0;

    /// <summary>Whether it waits for what is small. Big ones keep their order among each other, small ones theirs.</summary>
    public virtual bool IsBig => Bytes > 32 * 1024;

    /// <summary>Takes what it needs in memory, before the transaction.</summary>
    public virtual void Claim()
    {
    }

    public abstract void Apply(WriteSession session);

    /// <summary>Makes known in memory what is durable now.</summary>
    public virtual void Publish(WriteSession session)
    {
    }

    public virtual void Undo()
    {
    }

    /// <summary>Lets the caller go on, on this thread.</summary>
    public abstract void Complete();

    /// <summary>The same with an exception.</summary>
    public abstract void Fail(Exception exception);
}

/// <summary>An operation that is its own awaitable; awaited once.</summary>
internal abstract class Operation<T> : Operation, IValueTaskSource<T>, IValueTaskSource
{
    // Callers go on where it is completed: on the thread pool, never on the thread that writes.
    private ManualResetValueTaskSourceCore<T> _source;

    public ValueTask<T> Task => new(this, _source.Version);

    public ValueTask PlainTask => new(this, _source.Version);

    protected T Result { get; set; } = default!;

    public override void Complete() => _source.SetResult(Result);

    public override void Fail(Exception exception) => _source.SetException(exception);

    T IValueTaskSource<T>.GetResult(short token) => _source.GetResult(token);

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
