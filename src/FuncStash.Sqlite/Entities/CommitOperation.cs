using FuncStash.Sqlite.Queues;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Entities;

/// <summary>A commit: its writes, and where they stand its sends and the end of its lease.</summary>
internal sealed class CommitOperation(EntityWrites writes, MessageSends? sends, LeaseChange? lease) : Operation<CommitResult>
{
    private bool _applied;

    public override int Bytes => writes.Bytes;

    public override void Claim() => lease?.Claim();

    public override void Apply(WriteSession session)
    {
        _applied = writes.Apply(session);
        if (!_applied)
            return;
        sends?.Apply(session);
        lease?.Apply(session);
    }

    public override void Publish(WriteSession session)
    {
        if (_applied)
        {
            writes.Publish(session.Cache);
            sends?.Publish(session);
            lease?.Publish(session);
        }
        else
        {
            lease?.Undo();
        }
    }

    public override void Undo() => lease?.Undo();

    public override void Complete()
    {
        Result = writes.Result;
        Release();
        base.Complete();
    }

    public override void Fail(Exception exception)
    {
        Release();
        base.Fail(exception);
    }

    private void Release()
    {
        writes.Release();
        sends?.Release();
    }
}
