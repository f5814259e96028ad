using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>A message to be stored.</summary>
/// <param name="Message">The message; its id says when it was created and where it lies.</param>
/// <param name="Once">
/// True for an id that follows from a cause and so may be created again: a message of that id, live or ended, is then
/// left alone.
/// </param>
/// <param name="Scheduled">False for a message that something else sends on its way.</param>
public sealed record NewMessage(Message Message, bool Once = false, bool Scheduled = true);

/// <summary>A new message on its way into storage.</summary>
internal sealed record Creation(int Index, NewMessage New, StoredMessage Stored)
{
    // Far below Commit.MaxBytes: on a disk, everybody else's writes wait for as long as one commit takes.
    private const int MostBytes = 256 * 1024;

    private readonly Entity _row = MessageRows.ToRow(MessageRows.Live, Stored);

    private int Writes => 1 + (New.Once ? 1 : 0) + (Stored.Message.Run is null ? 0 : 1);

    /// <summary>The same of the message as it now is.</summary>
    public Creation Of(StoredMessage stored) => new(Index, New, stored);

    public void AddWrites(List<Write> writes)
    {
        writes.Add(new Write.Insert(_row));
        if (New.Once)
            writes.Add(new Write.Insert(MessageRows.OnceMark(Stored.Id)));
        if (Stored.Message.Run is not null)
            writes.Add(new Write.Insert(MessageRows.RunMark(Stored.Message)));
    }

    /// <summary>Messages of one partition, as many to a commit as it holds and others can wait for.</summary>
    public static IEnumerable<List<Creation>> Chunks(IReadOnlyList<Creation> creations)
    {
        if (creations.Count == 1)
            return [[creations[0]]];
        return creations.GroupBy(c => MessageRows.Partition(c.Stored.Id)).SelectMany(Split);
    }

    private static IEnumerable<List<Creation>> Split(IEnumerable<Creation> creations)
    {
        var chunk = new List<Creation>();
        var (writes, bytes) = (0, 0);
        foreach (var creation in creations)
        {
            if (chunk.Count > 0 && (writes + creation.Writes > Commit.MaxWrites || bytes + creation._row.Size > MostBytes))
            {
                yield return chunk;
                (chunk, writes, bytes) = ([], 0, 0);
            }
            chunk.Add(creation);
            writes += creation.Writes;
            bytes += creation._row.Size;
        }
        if (chunk.Count > 0)
            yield return chunk;
    }
}
