using System.Text;
using FuncStash.Sqlite.Bodies;
using FuncStash.Sqlite.Entities;
using FuncStash.Sqlite.Queues;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Sqlite;

/// <summary>
/// The storage ports on one SQLite file, owned by one process. What is acknowledged was synced to disk; the writes of
/// callers that come together share a sync. A cancelled call that was already handed to the writer still takes effect.
/// </summary>
public sealed class SqliteStore : IStore, IAsyncDisposable
{
    private readonly FileStream? _ownership;

    private readonly Connection _connection;

    private readonly Readers _readers;

    // For the writer, whom nothing that reads may hold up.
    private readonly Readers _queueReaders;

    private readonly LogKeeper? _log;

    private readonly Writer _writer;

    private readonly SqliteWorkQueues _queues;

    private int _closed;

    private SqliteStore(
        FileStream? ownership, Connection connection, Readers readers, Readers queueReaders, Connection? keeping, TimeProvider time)
    {
        _ownership = ownership;
        _connection = connection;
        _readers = readers;
        _queueReaders = queueReaders;
        var counts = CountMessages(connection);
        var cache = new EntityCache();
        var session = new WriteSession(connection, cache, time);
        _log = keeping is null ? null : new LogKeeper(keeping);
        _writer = new Writer(session, _log);
        _queues = new SqliteWorkQueues(queueReaders, _writer, counts, time);
        Tables = new SqliteTables(readers, _writer, _queues, cache);
        Bodies = new SqliteBodies(readers, _writer);
    }

    /// <summary>All rows are in one file; those that were written last are in fewer of its pages where they lie together.</summary>
    public bool IsPartitioned => false;

    public bool IsShared => false;

    public bool IsWhole => true;

    public ITables Tables { get; }

    public IWorkQueues Queues => _queues;

    internal Writer Writer => _writer;

    public IBodies Bodies { get; }

    /// <summary>Opens a store, and makes a new one where there is none.</summary>
    /// <param name="path">A file in a folder that exists, or <c>:memory:</c> for a store that leaves nothing on disk.</param>
    /// <param name="time">The clock of visibility, leases and waits.</param>
    /// <exception cref="StoreInUseException">This process or another has it open.</exception>
    /// <exception cref="StoreFailedException">The file is no store, or cannot be read or written.</exception>
    public static SqliteStore Open(string path, TimeProvider time)
    {
        if (path == ":memory:")
        {
            var only = Schema.OpenWriter(path);
            var all = new Readers([new Reader(only)]);
            return new SqliteStore(null, only, all, all, keeping: null, time);
        }

        path = Path.GetFullPath(path);
        if (File.Exists(path)) // by another name it is the same store
            path = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        var ownership = StoreLock.Take(path);
        var opened = new List<Connection>();
        try
        {
            var writing = Schema.OpenWriter(path);
            opened.Add(writing);
            for (var i = 0; i <= Math.Clamp(Environment.ProcessorCount, 2, 4); i++)
                opened.Add(Schema.OpenReader(path));
            var queueReaders = new Readers([new Reader(opened[1])]);
            var readers = new Readers([.. opened.Skip(2).Select(c => new Reader(c))]);
            var keeping = Schema.OpenKeeper(path);
            opened.Add(keeping);
            return new SqliteStore(ownership, writing, readers, queueReaders, keeping, time);
        }
        catch
        {
            foreach (var each in opened)
                each.Dispose();
            ownership.Dispose();
            throw;
        }
    }

    public bool IsFault(Exception error) => error is StoreFailedException { IsOfRequest: false } or ObjectDisposedException;

    public string FaultText(Exception fault) =>
        fault is StoreFailedException { IsFull: true } ? "the disk of the storage is full" : "the disk of the storage does not work";

    public ValueTask PingAsync(CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_closed != 0, this);
        using var loan = _queueReaders.Lend();
        loan.Reader.Ping.Step();
        loan.Reader.Ping.Reset();
        return default;
    }

    /// <summary>A small step, behind and before which others write.</summary>
    public ValueTask<bool> GiveBackAsync(CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var step = new GiveBack();
        _writer.Submit(step);
        return step.Task;
    }

    /// <summary>Ends the waits of receivers, finishes what was handed to the writer, and lets go of the file.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
            return;
        _queues.Dispose();
        await Task.Run(_writer.Dispose);
        _log?.Dispose();
        _readers.Dispose();
        _queueReaders.Dispose();
        _connection.Dispose(); // the last one out moves the log into the file
        if (_ownership is not null)
            await _ownership.DisposeAsync();
    }

    private static Dictionary<string, long> CountMessages(Connection connection)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var rows = connection.Prepare("SELECT queue, COUNT(*) FROM queue_messages GROUP BY queue");
        while (rows.Step())
            counts[Encoding.UTF8.GetString(rows.Bytes(0))] = rows.Number(1);
        return counts;
    }
}
