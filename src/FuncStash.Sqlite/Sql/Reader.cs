namespace FuncStash.Sqlite.Sql;

/// <summary>The statements of a connection that reads.</summary>
internal sealed class Reader(Connection connection)
{
    public Connection Connection { get; } = connection;

    /// <summary>1: key. Columns: etag, data.</summary>
    public Statement Entity { get; } = connection.Prepare("SELECT etag, data FROM entities WHERE key = ?1");

    /// <summary>1: from, 2: to, 3: take. Columns: key, etag, data.</summary>
    public Statement Entities { get; } = connection.Prepare(
        "SELECT key, etag, data FROM entities WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3");

    /// <summary>As <see cref="Entities"/>, without the data.</summary>
    public Statement Keys { get; } = connection.Prepare(
        "SELECT key, etag FROM entities WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3");

    /// <summary>1: queue, 2 and 3: after this time of visibility and id. Columns: visible_at, id, dequeues, text.</summary>
    public Statement Messages { get; } = connection.Prepare(
        """
        SELECT visible_at, id, dequeues, text FROM queue_messages
        WHERE queue = ?1 AND (visible_at, id) > (?2, ?3) ORDER BY visible_at, id
        """);

    /// <summary>1: name. Columns: content; of a long one the first piece, the one after the last, and how many bytes all have.</summary>
    public Statement Body { get; } = connection.Prepare("SELECT content, first, after, length FROM bodies WHERE name = ?1");

    /// <summary>1: the first, 2: the one after the last. Columns: content.</summary>
    public Statement BodyPieces { get; } = connection.Prepare("SELECT content FROM body_pieces WHERE id >= ?1 AND id < ?2 ORDER BY id");

    /// <summary>1 and 2: after this time of writing and number, 3: before this time, 4: take. Columns: name, written, number.</summary>
    public Statement Bodies { get; } = connection.Prepare(
        """
        SELECT name, written, rowid FROM bodies INDEXED BY bodies_written
        WHERE (written, rowid) > (?1, ?2) AND written < ?3 ORDER BY written, rowid LIMIT ?4
        """);

    public Statement Ping { get; } = connection.Prepare("SELECT next FROM versions");
}
