using System.Diagnostics;
using System.Globalization;
using FuncStash.Sqlite;
using FuncStash.Storage.Bench;

// What a store costs a message: dotnet run -c Release --project bench/storage -- [MESSAGES] [TASKS] [BODY BYTES] [PARTITIONS]
// Prints, a round a line, messages/s and microseconds of this process's CPU time per message.

int Argument(int index, int otherwise) =>
    args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : otherwise;

int messages = Argument(0, 50_000), tasks = Argument(1, 64), body = Argument(2, 200), partitions = Argument(3, 8);
var folder = Directory.CreateTempSubdirectory("funcstash-bench-");
try
{
    await using var store = SqliteStore.Open(Path.Combine(folder.FullName, "bench.db"), TimeProvider.System);
    var load = new MessageLoad(store, tasks, body, partitions);
    await load.RunAsync(20_000); // to compile what is hot
    for (var round = 1; round <= 4; round++)
    {
        using var process = Process.GetCurrentProcess();
        var (cpu, kernel, allocated) =
            (process.TotalProcessorTime, process.PrivilegedProcessorTime, GC.GetTotalAllocatedBytes());
        var clock = Stopwatch.StartNew();
        await load.RunAsync(messages);
        var elapsed = clock.Elapsed;
        process.Refresh();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"round {round}: {messages / elapsed.TotalSeconds,8:0} messages/s, " +
            $"CPU {(process.TotalProcessorTime - cpu).TotalMicroseconds / messages,6:0.0} us/message " +
            $"(kernel {(process.PrivilegedProcessorTime - kernel).TotalMicroseconds / messages:0.0}), " +
            $"{(GC.GetTotalAllocatedBytes() - allocated) / messages} bytes allocated, " +
            $"RSS {process.WorkingSet64 >> 20} MiB"));
    }
}
finally
{
    folder.Delete(recursive: true);
}
