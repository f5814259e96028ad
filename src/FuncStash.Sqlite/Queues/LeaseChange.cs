using FuncStash.Schedules;
using FuncStash.Sqlite.Writing;

namespace FuncStash.Sqlite.Queues;

/// <summary>
/// A durable end of a lease: the message is deleted, or postponed by <paramref name="visibleIn"/> (ms), or moved to
/// <paramref name="poison"/>.
/// </summary>
internal sealed class LeaseChange(SqliteLease lease, long? visibleIn = null, WorkQueue? poison = null)
{
    private bool _claimed;

    private long _visibleAt;

    /// <summary>Whether the lease was still held.</summary>
    public bool Held { get; private set; }

    private QueuedMessage Message => lease.Message;

    public void Claim() => _claimed = lease.Source.Claim(lease);

    public void Apply(WriteSession session)
    {
        Held = false;
        if (!_claimed)
            return;
        if (visibleIn is null && poison is null)
        {
            Held = Row(session.DeleteMessage).Run() > 0;
            return;
        }

        _visibleAt = session.Now + (visibleIn ?? 0);
        Held = Row(session.MoveMessage).BindText(4, (poison ?? lease.Source).Utf8Name).Bind(5, _visibleAt)
            .Bind(6, poison is null ? Message.Dequeues : 0).Run() > 0;
    }

    public void Publish(WriteSession session)
    {
        if (!_claimed)
            return;
        session.Touched.Add(lease.Source);
        if (Held && visibleIn is not null)
        {
            lease.Source.Postpone(Message, _visibleAt);
            return;
        }

        lease.Source.Remove(Message, wasThere: Held);
        if (Held && poison is not null)
        {
            poison.Add(new QueuedMessage(Message.Id, _visibleAt, 0, Message.Text));
            session.Touched.Add(poison);
        }
    }

    public void Undo()
    {
        if (_claimed)
            lease.Source.Unclaim(Message);
        _claimed = false;
    }

    private Sql.Statement Row(Sql.Statement statement) =>
        statement.BindText(1, lease.Source.Utf8Name).Bind(2, Message.VisibleAt).Bind(3, Message.Id);
}
