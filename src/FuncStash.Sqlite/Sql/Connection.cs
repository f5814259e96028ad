using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace FuncStash.Sqlite.Sql;

/// <summary>One connection, used by one thread at a time: whoever is inside <see cref="Gate"/>.</summary>
internal sealed class Connection : IDisposable
{
    private readonly List<Statement> _statements = [];

    private readonly SqliteConnection _connection;

    // Statements of the hot path are bound and stepped without the commands and parameters that ADO.NET makes for each.
    private readonly sqlite3 _handle;

    static Connection()
    {
        Batteries_V2.Init();
        // Counting each allocation takes a lock. SQLite refuses this once it is in use.
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    /// <param name="path">The file.</param>
    /// <param name="readOnly">Whether it never writes.</param>
    public Connection(string path, bool readOnly)
    {
        var options = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = 5,
        };
        _connection = new SqliteConnection(options.ToString());
        try
        {
            _connection.Open();
        }
        catch (SqliteException error)
        {
            _connection.Dispose();
            throw new StoreFailedException($"The store '{path}' cannot be opened: {error.Message}", error.SqliteExtendedErrorCode);
        }

        _handle = _connection.Handle!;
        _ = raw.sqlite3_extended_result_codes(_handle, 1);
        _ = raw.sqlite3_busy_timeout(_handle, 5_000);
        // Else a statement with "LIMIT ?" is parsed and planned again each time that its limit is bound.
        _ = raw.sqlite3_db_config(_handle, raw.SQLITE_DBCONFIG_ENABLE_QPSG, 1, out _);
    }

    public Lock Gate { get; } = new();

    /// <summary>Rows touched by the last statement that was stepped to its end.</summary>
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>Whether a transaction is open; some errors end it.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>How many pages this connection has written; after <see cref="int.MaxValue"/> comes 0.</summary>
    public int PagesWritten
    {
        get
        {
            _ = raw.sqlite3_db_status(_handle, raw.SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, 0);
            return pages;
        }
    }

    /// <summary>Prepares a statement that lives as long as the connection.</summary>
    public Statement Prepare(string sql)
    {
        if (raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var statement) != raw.SQLITE_OK)
            throw Failure();
        var prepared = new Statement(this, statement);
        _statements.Add(prepared);
        return prepared;
    }

    public void Execute(string sql)
    {
        if (raw.sqlite3_exec(_handle, sql) != raw.SQLITE_OK)
            throw Failure();
    }

    public StoreFailedException Failure() =>
        new($"SQLite: {raw.sqlite3_errmsg(_handle).utf8_to_string()}", raw.sqlite3_extended_errcode(_handle));

    public void Dispose()
    {
        foreach (var statement in _statements)
            statement.Dispose();
        _connection.Dispose();
    }
}
