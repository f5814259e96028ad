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

    // 1 MB: so much is written before a move that failed is tried again.
    private const int Again = 256;

    // 256 KB: what is big is moved by so little at a time, since a sync of the log waits while the file beside it is synced.
    private const int Piece = 64;

    // The second moves what was written during the first, and what is written during the second is little.
    private const int Passes = 2;

    private readonly AutoResetEvent _wake = new(false);

    private readonly Connection _connection;

    private readonly Statement _move;

    private readonly Thread _thread;

    private volatile bool _holdsBig, _ended, _closed;

    private bool _moving, _failed, _all;

    // Where all was moved, and where a move began last.
    private int _movedPages, _begunPages;

    /// <param name="connection">One of its own to the same file, which it disposes of.</param>
    public LogKeeper(Connection connection)
    {
        _connection = connection;
        _move = connection.Prepare(Sql);
        _thread = new Thread(Run) { IsBackground = true, Name = "SQLite log" };
        _thread.Start();
    }

    /// <summary>
    /// While the last of the log is moved, the writer is to write nothing big: it would have to move that itself, and everybody would wait
    /// meanwhile.
    /// </summary>
    public bool HoldsBig => _holdsBig;

    /// <summary>Wakes the writer, for <see cref="Finish"/>, where it may have nothing but big operations.</summary>
    public Action? Ended { get; set; }

    /// <summary>To be called by the writer after each commit.</summary>
    /// <param name="session">The writer's.</param>
    /// <param name="big">Whether it held an operation that waits for small ones.</param>
    public void Committed(WriteSession session, bool big)
    {
        if (Finish(session))
            return;
        if (_moving)
            return;
        _all = Since(_movedPages) >= Worthwhile;
        if (!_all && !(big && !_failed && Since(_begunPages) >= Piece))
            return;
        _begunPages = session.PagesWritten;
        _moving = true;
        _wake.Set();

        // The count goes from its most back to 0.
        int Since(int pages) => (session.PagesWritten - pages) & int.MaxValue;
    }

    /// <summary>To be called by the writer between commits: moves what the keeper has left, if it has come to its end.</summary>
    /// <returns>Whether it moved.</returns>
    public bool Finish(WriteSession session)
    {
        if (!_ended)
            return false;
        _ended = _moving = false;
        var moves = _all || _failed;
        if (moves)
        {
            // Not what the keeper could not: that would be all of it.
            _failed = _failed || !TryMove(session.MoveLog);
            _begunPages = session.PagesWritten;
            _movedPages = _begunPages - (_failed ? Worthwhile - Again : 0);
        }

        _holdsBig = false;
        return moves;
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
            _failed = false;
            for (var pass = 0; pass < (_all ? Passes : 1) && !_failed; pass++)
            {
                _holdsBig = pass == Passes - 1;
                _failed = !TryMove(_move);
            }

            _ended = true;
            if (_holdsBig)
                Ended?.Invoke();
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
            // A full disk, or a broken one: the log has it all, durable.
            return false;
        }
    }
}
