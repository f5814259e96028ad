using FuncStash.Sqlite.Sql;
using Microsoft.Data.Sqlite;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>What an operator does to the file of a store while no server has it.</summary>
internal static class SqliteFiles
{
    // A store configures SQLite, which takes that only before its first use.
    static SqliteFiles() => Schema.OpenWriter(":memory:").Dispose();

    public static void Run(string path, string sql) => Number(path, sql);

    /// <summary>What a statement answers; 0 for nothing.</summary>
    public static long Number(string path, string sql)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as long? ?? 0;
    }
}
