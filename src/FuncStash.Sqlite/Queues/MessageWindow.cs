using System.Text;
using FuncStash.Sqlite.Sql;

namespace FuncStash.Sqlite.Queues;

/// <summary>
/// The front of a queue in memory: what is ready or leased, and how far the file was read. A backlog stays in the file
/// and is read from where the last read ended, in the order of (visible_at, id). Guarded by its queue's gate.
/// </summary>
/// <remarks>
/// Two bounds keep it right. No row at or before the cursor is in the file alone; and none in the file alone becomes
/// visible before <see cref="NextStored"/>. A new message goes straight into memory when nothing is due before it.
/// </remarks>
internal sealed class MessageWindow(byte[] queue, Readers readers)
{
    /// <summary>The most messages, and characters of text, that wait in memory; and the most that one refill reads.</summary>
    private const int MaxReady = 1024, MaxCharacters = 512 * 1024, RefillSize = 256;

    private readonly Dictionary<long, QueuedMessage> _held = [];

    private readonly Queue<QueuedMessage> _ready = new();

    private (long VisibleAt, long Id) _cursor = (long.MinValue, 0);

    private int _characters;

    /// <summary>A time before which no message outside of memory becomes visible, Unix time in ms.</summary>
    public long NextStored { get; private set; } = long.MinValue;

    public int Count => _held.Count;

    /// <summary>Takes in a row that was committed just now, or leaves it in the file.</summary>
    public void Add(QueuedMessage message, long now)
    {
        if (_held.ContainsKey(message.Id))
            return; // a refill has met it before its commit was made known
        var key = (message.VisibleAt, message.Id);
        var ahead = key.CompareTo(_cursor) > 0;
        if (message.VisibleAt <= now && message.VisibleAt < NextStored
            && _ready.Count < MaxReady && _characters < MaxCharacters)
        {
            Hold(message);
            if (ahead)
                _cursor = key;
            return;
        }

        message.State = MessageState.Stored;
        NextStored = Math.Min(NextStored, message.VisibleAt);
        if (!ahead)
            _cursor = (message.VisibleAt, message.Id - 1); // what else is read again is known by its id
    }

    /// <summary>The next message that is ready; null when there is none. Reads on in the file as needed.</summary>
    public QueuedMessage? Next(long now)
    {
        while (true)
        {
            while (_ready.TryDequeue(out var message))
            {
                _characters -= message.Text.Length;
                if (message.State is MessageState.Ready) // otherwise it ended or was leased again meanwhile
                    return message;
            }

            if (NextStored > now)
                return null;
            Refill(now);
        }
    }

    /// <summary>Makes a message of the window ready again.</summary>
    public void Return(QueuedMessage message)
    {
        message.State = MessageState.Ready;
        _ready.Enqueue(message);
        _characters += message.Text.Length;
    }

    /// <summary>Whether the row is in memory, perhaps read anew.</summary>
    public bool HoldsRow(QueuedMessage message) => _held.ContainsKey(message.Id);

    public bool Holds(QueuedMessage message) => _held.TryGetValue(message.Id, out var there) && there == message;

    /// <summary>Forgets a message that ended or is in the file alone from now on.</summary>
    public void Forget(QueuedMessage message)
    {
        if (Holds(message))
            _held.Remove(message.Id);
    }

    private void Hold(QueuedMessage message)
    {
        _held.Add(message.Id, message);
        Return(message);
    }

    private void Refill(long now)
    {
        using var loan = readers.Lend();
        var rows = loan.Reader.Messages.BindText(1, queue).Bind(2, _cursor.VisibleAt).Bind(3, _cursor.Id);
        try
        {
            for (var left = RefillSize; rows.Step();)
            {
                NextStored = rows.Number(0);
                if (NextStored > now || left-- == 0 || _characters >= MaxCharacters)
                    return;
                _cursor = (NextStored, rows.Number(1));
                if (!_held.ContainsKey(_cursor.Id))
                    Hold(new(_cursor.Id, NextStored, (int)rows.Number(2), Encoding.UTF8.GetString(rows.Bytes(3))));
            }

            NextStored = long.MaxValue;
        }
        finally
        {
            rows.Reset();
        }
    }
}
