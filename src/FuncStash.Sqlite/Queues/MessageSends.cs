using FuncStash.Sqlite.Entities;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Queues;

/// <summary>Messages to send, encoded on the caller's thread.</summary>
internal sealed class MessageSends
{
    private const int MaxText = 32 * 1024;

    private readonly Slot[] _slots;

    private ByteSink _bytes;

    /// <exception cref="ArgumentException">A text of more than 32 KiB, or a delay of more than 7 days.</exception>
    public MessageSends(IReadOnlyList<Send> sends, SqliteWorkQueues queues)
    {
        _slots = new Slot[sends.Count];
        for (var i = 0; i < _slots.Length; i++)
        {
            var send = sends[i];
            if (send.Delay > IWorkQueues.MaxDelay || send.Delay < TimeSpan.Zero)
                throw new ArgumentException($"A delay is between 0 and 7 days, not {send.Delay}.");
            ref var slot = ref _slots[i];
            slot.Send = send;
            slot.Queue = queues.Get(send.Queue);
            slot.Start = _bytes.Length;
            _bytes.Text(send.Text);
            slot.End = _bytes.Length;
            if (slot.End - slot.Start > MaxText)
                throw new ArgumentException($"A message holds at most {MaxText} bytes, not {slot.End - slot.Start}.");
        }
    }

    public int Bytes => _bytes.Length;

    public void Apply(WriteSession session)
    {
        var now = session.Now;
        foreach (ref var slot in _slots.AsSpan())
        {
            var message = slot.Message = new QueuedMessage(
                session.NextVersion(), now + (long)slot.Send.Delay.TotalMilliseconds, 0, slot.Send.Text);
            session.InsertMessage.BindText(1, slot.Queue.Utf8Name).Bind(2, message.VisibleAt).Bind(3, message.Id)
                .BindText(4, _bytes[slot.Start..slot.End]).Run();
        }
    }

    public void Publish(WriteSession session)
    {
        foreach (ref var slot in _slots.AsSpan())
        {
            slot.Queue.Add(slot.Message);
            session.Touched.Add(slot.Queue);
        }
    }

    public void Release() => _bytes.Release();

    private struct Slot
    {
        public Send Send;
        public WorkQueue Queue;
        public QueuedMessage Message;
        public int Start, End;
    }
}
