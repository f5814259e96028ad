using FuncStash.Sqlite.Sql;

namespace FuncStash.Sqlite.Writing;

/// <summary>
/// Moves the log into the file beside the writer, so that no caller waits while many pages are copied and synced. The log can
/// start over only when all of it was moved and nobody writes, so the writer itself moves the few pages that came meanwhile.
/// </summary>
internal sealed class LogKeeper : IDisposable
{
    /// <summary>Runs <c>wal_checkpoint</c>, waiting for nobody.</summary>
    public const string Sql = "PRAGMA wal_checkpoint(PASSIVE)";

    // 16 MB.
    private const int Worthwhile = 4000;

    // The second moves what was written during the first, which is far less.
    private const int Passes = 2;

    private readonly AutoResetEvent _wake = new(false);

    private readonly Connection _connection;

    private readonly Statement _move;

    private readonly Thread _thread;

    private volatile bool _moved, _closed;

    private bool _moving;

    private int _movedPages;

    /// <param name="connection">One of its own to the same file, which it disposes of.</param>
    public LogKeeper(Connection connection)
    {
        _connection = connection;
        _move = connection.Prepare(Sql);
        _thread = new Thread(Run) { IsBackground = true, Name = "SQLite log" };
        _thread.Start();
    }

    /// <summary>To be called by the writer after each commit.</summary>
    public void Committed(WriteSession session)
    {
        if (_moved)
        {
            _moved = _moving = false;
            // Else the next commit asks again: the disk may have room by then.
            if (TryMove(session.MoveLog))
                _movedPages = session.PagesWritten;
        }
        else if (!_moving && session.PagesWritten - _movedPages >= Worthwhile)
        {
            _moving = true;
            _wake.Set();
        }
    }

    /// <summary>Ends once a move that is under way has ended. The writer must have ended before.</summary>
    public void Dispose()
    {
        _closed = true;
        _wake.Set();
        _thread.Join();
        _connection.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        while (_wake.WaitOne() && !_closed)
        {
            for (var pass = 0; pass < Passes; pass++)
                TryMove(_move);
            _moved = true;
        }
    }

    private static bool TryMove(Statement move)
    {
        try
        {
            move.Run();
            return true;
        }
        catch (StoreFailedException)
        {
            // A full disk: the log has it all, durable, and the next move has more to do.
            return false;
        }
    }
}
