using Microsoft.Data.Sqlite;

namespace FuncStash.Tests.Upkeep;

/// <summary>What lies in a store on a file.</summary>
internal static class StoredRows
{
    /// <summary>
    /// How many rows each table has, messages each queue, and how many payloads there are; without upkeep's own, a row for each
    /// job and a probe of the queue.
    /// </summary>
    public static async Task<Dictionary<string, long>> CountAsync(string file)
    {
        await using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText =
            """
            SELECT 'rows of ' || substr(key, 1, instr(key, '/') - 1), COUNT(*) FROM entities WHERE key NOT LIKE 'upkeep/%' GROUP BY 1
            UNION ALL SELECT 'messages of ' || queue, COUNT(*) FROM queue_messages WHERE text NOT LIKE 'probe|%' GROUP BY 1
            UNION ALL SELECT 'bodies', COUNT(*) FROM bodies
            """;
        await using var read = await command.ExecuteReaderAsync();
        var rows = new Dictionary<string, long>();
        while (await read.ReadAsync())
            rows.Add(read.GetString(0), read.GetInt64(1));
        return rows;
    }
}
