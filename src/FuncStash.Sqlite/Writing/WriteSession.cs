using FuncStash.Sqlite.Entities;
using FuncStash.Sqlite.Queues;
using FuncStash.Sqlite.Sql;

namespace FuncStash.Sqlite.Writing;

/// <summary>The connection that writes, its statements, and the numbers it gives out. Used by the writer's thread alone.</summary>
internal sealed class WriteSession
{
    // Numbers are promised in blocks, so that a restart goes on behind all that may have been seen.
    private const long Block = 1_000_000;

    private readonly Statement _begin, _commit, _rollback, _reserve, _deleteBody;

    private readonly Connection _connection;

    private readonly TimeProvider _time;

    private long _next, _reserved, _durable;

    public WriteSession(Connection connection, EntityCache cache, TimeProvider time)
    {
        _connection = connection;
        _time = time;
        Cache = cache;
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        _commit = connection.Prepare("COMMIT");
        _rollback = connection.Prepare("ROLLBACK");
        _reserve = connection.Prepare("UPDATE versions SET next = ?1");
        InsertEntity = connection.Prepare("INSERT OR IGNORE INTO entities(key, etag, data) VALUES(?1, ?2, ?3)");
        UpsertEntity = connection.Prepare("INSERT OR REPLACE INTO entities(key, etag, data) VALUES(?1, ?2, ?3)");
        ReplaceEntity = connection.Prepare("UPDATE entities SET etag = ?2, data = ?3 WHERE key = ?1 AND etag = ?4");
        DeleteEntity = connection.Prepare("DELETE FROM entities WHERE key = ?1 AND etag = ?2");
        DeleteAnyEntity = connection.Prepare("DELETE FROM entities WHERE key = ?1");
        FindEntity = connection.Prepare("SELECT etag FROM entities WHERE key = ?1");
        InsertMessage = connection.Prepare(
            "INSERT INTO queue_messages(queue, visible_at, id, dequeues, text) VALUES(?1, ?2, ?3, 0, ?4)");
        MoveMessage = connection.Prepare(
            """
            UPDATE queue_messages SET queue = ?4, visible_at = ?5, dequeues = ?6
            WHERE queue = ?1 AND visible_at = ?2 AND id = ?3
            """);
        DeleteMessage = connection.Prepare("DELETE FROM queue_messages WHERE queue = ?1 AND visible_at = ?2 AND id = ?3");
        InsertBody = connection.Prepare(
            "INSERT INTO bodies(name, content, written, first, after, length) VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
        _deleteBody = connection.Prepare("DELETE FROM bodies WHERE name = ?1 RETURNING first, after");
        InsertPiece = connection.Prepare("INSERT INTO body_pieces(id, content) VALUES(?1, ?2)");
        DeletePieces = connection.Prepare("DELETE FROM body_pieces WHERE id >= ?1 AND id < ?2");
        BeginPut = connection.Prepare("INSERT INTO body_puts(first, after) VALUES(?1, ?2)");
        EndPut = connection.Prepare("DELETE FROM body_puts WHERE first = ?1");
        FreePages = connection.Prepare("PRAGMA freelist_count");
        AllPages = connection.Prepare("PRAGMA page_count");
        Vacuum = connection.Prepare(GiveBack.Sql);
        MoveLog = connection.Prepare(LogKeeper.Sql);
        _next = _reserved = _durable = ReadNext();
    }

    /// <summary>1: key, 2: etag, 3: data. No change when the key is there.</summary>
    public Statement InsertEntity { get; }

    /// <summary>1: key, 2: etag, 3: data.</summary>
    public Statement UpsertEntity { get; }

    /// <summary>1: key, 2: etag, 3: data, 4: the etag that must stand.</summary>
    public Statement ReplaceEntity { get; }

    /// <summary>1: key, 2: the etag that must stand.</summary>
    public Statement DeleteEntity { get; }

    /// <summary>1: key.</summary>
    public Statement DeleteAnyEntity { get; }

    /// <summary>1: key. Columns: etag.</summary>
    public Statement FindEntity { get; }

    /// <summary>1: queue, 2: visible_at, 3: id, 4: text.</summary>
    public Statement InsertMessage { get; }

    /// <summary>1 to 3: queue, visible_at, id; 4 to 6: the new queue, visible_at, dequeues.</summary>
    public Statement MoveMessage { get; }

    /// <summary>1: queue, 2: visible_at, 3: id.</summary>
    public Statement DeleteMessage { get; }

    /// <summary>1: name, 2: content, 3: the time; of a long one 4: its first piece, 5: the one after the last, 6: how many bytes.</summary>
    public Statement InsertBody { get; }

    /// <summary>1: id, 2: content.</summary>
    public Statement InsertPiece { get; }

    /// <summary>1: the first, 2: the one after the last.</summary>
    public Statement DeletePieces { get; }

    /// <summary>1: the first piece, 2: the one after the last.</summary>
    public Statement BeginPut { get; }

    /// <summary>1: the first piece.</summary>
    public Statement EndPut { get; }

    /// <summary>Columns: how many pages of the file are free.</summary>
    public Statement FreePages { get; }

    /// <summary>Columns: how many pages the file has.</summary>
    public Statement AllPages { get; }

    /// <summary>Cuts some free pages off the file, where it was made for that.</summary>
    public Statement Vacuum { get; }

    /// <summary>Moves what is in the log into the file; outside of a transaction.</summary>
    public Statement MoveLog { get; }

    /// <summary>How many pages went to the log.</summary>
    public int PagesWritten => _connection.PagesWritten;

    /// <summary>The queues that may have something for a waiting receiver now.</summary>
    public HashSet<WorkQueue> Touched { get; } = [];

    public EntityCache Cache { get; }

    public Lock Gate => _connection.Gate;

    /// <summary>Unix time in ms.</summary>
    public long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A number that was never given out before, in this process or an earlier one; it only grows.</summary>
    public long NextVersion() => NextVersions(1);

    /// <summary>As many that follow each other; the first of them.</summary>
    public long NextVersions(int count)
    {
        if (_next + count > _reserved)
        {
            _reserved = _next + count + Block;
            _reserve.Bind(1, _reserved).Run();
        }

        _next += count;
        return _next - count;
    }

    /// <summary>Removes a body with its pieces, if it is there.</summary>
    public void RemoveBody(ReadOnlySpan<byte> name)
    {
        var gone = _deleteBody.BindText(1, name);
        if (!gone.Step())
            return;
        var (first, after) = (gone.Number(0), gone.Number(1));
        gone.Reset();
        DeletePieces.Bind(1, first).Bind(2, after).Run();
    }

    public void Begin() => _begin.Run();

    public void Commit()
    {
        _commit.Run();
        _durable = _reserved;
    }

    public void Rollback()
    {
        _reserved = _durable;
        if (_connection.InTransaction) // some errors roll back by themselves
            _rollback.Run();
    }

    private long ReadNext()
    {
        var read = _connection.Prepare("SELECT next FROM versions");
        read.Step();
        var number = read.Number(0);
        read.Reset();
        return number;
    }
}
