using System.Diagnostics;
using System.Reflection;
using FuncStash.Sqlite;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>A process that works on a store until it is killed, and tells of each step as soon as it is acknowledged.</summary>
internal static class CrashingProcess
{
    public const string Mode = "work-until-killed", Table = "rows", Queue = "steps";

    private const int Tasks = 16;

    public static Process Start(string path)
    {
        var self = Environment.ProcessPath!;
        var start = new ProcessStartInfo(self) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(self) == "dotnet")
            start.ArgumentList.Add(Assembly.GetExecutingAssembly().Location);
        start.ArgumentList.Add(Mode);
        start.ArgumentList.Add(path);
        return Process.Start(start)!;
    }

    /// <summary>Prints "+ID" when the two rows and the message of ID are stored, "-ID" when the message is settled.</summary>
    public static async Task<int> RunAsync(string path)
    {
        await using var store = SqliteStore.Open(path, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, Tasks).Select(task => Task.Run(() => WorkAsync(store, task))));
        return 0;
    }

    private static async Task WorkAsync(SqliteStore store, int task)
    {
        for (var i = 0; ; i++)
        {
            var id = $"{task}-{i}";
            await store.Tables.CommitAsync(new Commit(Table, "p", [Row("a", id), Row("b", id)])
            {
                Sends = [new Send(Queue, id)],
            });
            Console.Out.WriteLine($"+{id}");
            if (i % 2 == 0)
                continue; // half of the messages are left to be found
            foreach (var lease in await store.Queues.ReceiveAsync(Queue, 1, TimeSpan.FromMinutes(5), TimeSpan.Zero))
            {
                await store.Tables.CommitAsync(new Commit(Table, "p", [Row("c", lease.Text)]) { LeaseEnd = new LeaseEnd(lease) });
                Console.Out.WriteLine($"-{lease.Text}");
            }
        }
    }

    private static Write.Insert Row(string kind, string id) =>
        new(new Entity("p", $"{kind}-{id}", new Dictionary<string, object> { ["Data"] = new byte[300] }));
}
