namespace FuncStash.Sqlite.Sql;

/// <summary>What is in the file, and how it is opened.</summary>
internal static class Schema
{
    // From 2 on long bodies lie in body_pieces, where a program of before would not find them.
    private const int Version = 2;

    /// <summary>
    /// Entity keys are TABLE/PARTITION/ROW as UTF-8: <c>/</c> is not allowed within one, and one text column compares
    /// faster than three. A queue message is keyed by when it becomes visible, so receiving reads from the front.
    /// A long body lies in pieces, so that each can be a commit of its own: <c>length</c> bytes, from the piece <c>first</c> to the
    /// one before <c>after</c>. A row of body_puts tells of pieces that no body has yet.
    /// When a body was written is in an index, since behind its content it would be read only through all of that.
    /// Space that was used once is used again, and what is too much of it is given back (<see cref="Writing.GiveBack"/>).
    /// </summary>
    private const string Tables =
        """
        CREATE TABLE entities(key TEXT PRIMARY KEY, etag INTEGER NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE queue_messages(
            queue TEXT NOT NULL, visible_at INTEGER NOT NULL, id INTEGER NOT NULL,
            dequeues INTEGER NOT NULL, text TEXT NOT NULL,
            PRIMARY KEY(queue, visible_at, id)) WITHOUT ROWID;
        CREATE TABLE bodies(name TEXT NOT NULL UNIQUE, content BLOB NOT NULL, written INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE versions(next INTEGER NOT NULL);
        INSERT INTO versions VALUES(1);
        """;

    private const string Pieces =
        """
        CREATE INDEX IF NOT EXISTS bodies_written ON bodies(written);
        ALTER TABLE bodies ADD COLUMN first INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE bodies ADD COLUMN after INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE bodies ADD COLUMN length INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE body_pieces(id INTEGER PRIMARY KEY, content BLOB NOT NULL);
        CREATE TABLE body_puts(first INTEGER PRIMARY KEY, after INTEGER NOT NULL);
        """;

    // At each commit, and before the log starts over. On macOS fsync leaves what it was given in the drive's cache; F_FULLFSYNC
    // does not. Elsewhere the last two change nothing.
    private const string Synced = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON";

    /// <summary>Opens the one connection that writes, and makes a new file a store.</summary>
    /// <exception cref="StoreFailedException">The file is no store, or one of a later version, or the disk has no room for its log.</exception>
    public static Connection OpenWriter(string path)
    {
        var connection = new Connection(path, readOnly: false);
        try
        {
            // Before anything else makes the file's first page; in a file that is there it changes nothing.
            connection.Execute("PRAGMA auto_vacuum = INCREMENTAL");
            // LogKeeper moves the log into the file; one of 128 MB is moved by a commit. The cache stays at SQLite's 2 MB: after a
            // split that reorders pages, the commit walks all of it, and few pages are written to often.
            connection.Execute(
                $"""
                PRAGMA journal_mode = WAL; {Synced}; PRAGMA wal_autocheckpoint = 32000;
                PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;
                """);
            KeepLog(connection);
            Prepare(connection, path);
            return connection;
        }
        catch (StoreFailedException e) when (e.IsFull)
        {
            connection.Dispose();
            throw new StoreFailedException(
                $"The store '{path}' cannot be opened: its disk is full. With a few megabytes more it is opened, with all it had.", e.Code);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens a connection that moves the log into the file, beside the writer.</summary>
    public static Connection OpenKeeper(string path) => Open(path, readOnly: false, $"{Synced}; PRAGMA cache_size = -64");

    /// <summary>Opens a connection that reads what is committed, beside the writer.</summary>
    public static Connection OpenReader(string path) => Open(path, readOnly: true, "PRAGMA cache_size = -512");

    private static Connection Open(string path, bool readOnly, string settings)
    {
        var connection = new Connection(path, readOnly);
        try
        {
            connection.Execute(settings);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes durable what a killed process wrote to the log and did not sync, before anybody reads it: moving the log into the
    /// file begins with a sync of the log.
    /// </summary>
    private static void KeepLog(Connection connection)
    {
        try
        {
            connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (StoreFailedException e) when (e.IsFull)
        {
            // The log was synced; the file has no room for it, and can be read all the same.
        }
    }

    private static void Prepare(Connection connection, string path)
    {
        var read = connection.Prepare("PRAGMA user_version");
        read.Step();
        var version = read.Number(0);
        read.Reset();
        if (version is < 0 or > Version)
            throw new StoreFailedException($"The store '{path}' was made by another version ({version}).", 0);
        if (version == Version)
        {
            EndPuts(connection);
            return;
        }
        // Some files of version 1 have it, and some do not.
        var written = version == 0 || HasWritten(connection) ? "" : "ALTER TABLE bodies ADD COLUMN written INTEGER NOT NULL DEFAULT 0;";
        connection.Execute($"BEGIN IMMEDIATE; {(version == 0 ? Tables : "")} {written} {Pieces} PRAGMA user_version = {Version}; COMMIT");
    }

    /// <summary>Removes the pieces of bodies that came to no end, since the process that wrote them did.</summary>
    private static void EndPuts(Connection connection)
    {
        var any = connection.Prepare("SELECT EXISTS (SELECT 1 FROM body_puts)");
        any.Step();
        var ended = any.Number(0) > 0;
        any.Reset();
        if (!ended)
            return;
        try
        {
            connection.Execute(
                """
                BEGIN IMMEDIATE;
                DELETE FROM body_pieces WHERE id IN (SELECT id FROM body_puts JOIN body_pieces ON id >= first AND id < after);
                DELETE FROM body_puts;
                COMMIT
                """);
        }
        catch (StoreFailedException e) when (e.IsFull)
        {
            // They stay until it is opened again.
            if (connection.InTransaction)
                connection.Execute("ROLLBACK");
        }
    }

    private static bool HasWritten(Connection connection)
    {
        var read = connection.Prepare("SELECT COUNT(*) FROM pragma_table_info('bodies') WHERE name = 'written'");
        read.Step();
        var has = read.Number(0) > 0;
        read.Reset();
        return has;
    }
}
