using FuncStash.Sqlite.Entities;
using FuncStash.Sqlite.Queues;
using FuncStash.Sqlite.Sql;

namespace FuncStash.Sqlite.Writing;

/// <summary>The connection that writes, its statements, and the numbers it gives out. Used by the writer's thread alone.</summary>
internal sealed class WriteSession
{
    // Numbers are promised in blocks, so that a restart goes on behind all that may have been seen.
    private const long Block = 1_000_000;

    private readonly Statement _begin, _commit, _rollback, _reserve;

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
        PutBody = connection.Prepare(
            """
            INSERT INTO bodies(name, content, written, rest) VALUES(?1, ?2, ?3, ?4)
            ON CONFLICT(name) DO UPDATE SET content = excluded.content, written = excluded.written, rest = excluded.rest
            """);
        PutBodyPiece = connection.Prepare(
            """
            INSERT OR REPLACE INTO body_pieces(name, number, content)
            SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM bodies WHERE name = ?1)
            """);
        DeleteBody = connection.Prepare("DELETE FROM bodies WHERE name = ?1");
        DeleteBodyPieces = connection.Prepare("DELETE FROM body_pieces WHERE name = ?1");
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

    /// <summary>1: name, 2: the content's beginning, 3: the time, 4: how many bytes follow in pieces.</summary>
    public Statement PutBody { get; }

    /// <summary>1: name, 2: its number, from 1; 3: content. No change when the beginning is not there.</summary>
    public Statement PutBodyPiece { get; }

    /// <summary>1: name.</summary>
    public Statement DeleteBody { get; }

    /// <summary>1: name.</summary>
    public Statement DeleteBodyPieces { get; }

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
    public long NextVersion()
    {
        if (_next >= _reserved)
        {
            _reserved = _next + Block;
            _reserve.Bind(1, _reserved).Run();
        }

        return _next++;
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
