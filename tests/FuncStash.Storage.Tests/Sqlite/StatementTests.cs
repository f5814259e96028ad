using FuncStash.Sqlite;
using FuncStash.Sqlite.Sql;

namespace FuncStash.Storage.Tests.Sqlite;

public sealed class StatementTests
{
    [Fact]
    public async Task A_statement_is_planned_once_whatever_is_bound_to_it()
    {
        using var folder = new TemporaryFolder();
        await using var store = SqliteStore.Open(folder.File("store.db"), TimeProvider.System);
        using var connection = new Connection(folder.File("store.db"), readOnly: true);
        var reader = new Reader(connection);
        for (var i = 1; i <= 3; i++)
        {
            RunOut(reader.Entities.BindBlob(1, [(byte)i]).BindBlob(2, [9]).Bind(3, i));
            RunOut(reader.Keys.BindBlob(1, [(byte)i]).BindBlob(2, [9]).Bind(3, i));
            RunOut(reader.Bodies.Bind(1, i).Bind(2, i).Bind(3, 9).Bind(4, i));
            RunOut(reader.Messages.Bind(1, i).Bind(2, i).Bind(3, i));
        }

        Assert.Equal([0, 0, 0, 0], new[] { reader.Entities, reader.Keys, reader.Bodies, reader.Messages }.Select(statement => statement.Reparsed));
    }

    private static void RunOut(Statement statement)
    {
        while (statement.Step())
        {
        }
    }
}
