using System.Globalization;
using System.Runtime.InteropServices;

namespace FuncStash.Bench;

/// <summary>The facts about a machine that its figures depend on.</summary>
internal sealed record Machine(
    string Cpu, int Cores, double MemoryGiB, string Kernel, string Runtime, string FileSystem, Latency Fsync)
{
    private const int Syncs = 500;
    private const int Block = 4096;

    /// <param name="data">folder on the disk that holds the server's data</param>
    /// <param name="time">the clock</param>
    public static Machine Read(string data, TimeProvider time) => new(
        Value("/proc/cpuinfo", "model name"),
        Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024.0 * 1024 * 1024),
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        RuntimeInformation.FrameworkDescription,
        new DriveInfo(data).DriveFormat,
        MeasureFsync(data, time));

    /// <summary>For a report.</summary>
    public string Facts => $"{Cores} cores ({Cpu}), {MemoryGiB:0.#} GiB, Linux {Kernel}, {Runtime}. "
        + $"A 4 KiB append + fsync on {FileSystem}: p50 {Fsync.P50:0.000} ms, p99 {Fsync.P99:0.000} ms.";

    /// <summary>What one append of 4 KiB and an fsync take in a folder, in ms, over 500 in a row.</summary>
    private static Latency MeasureFsync(string folder, TimeProvider time)
    {
        var path = Path.Combine(folder, Path.GetRandomFileName());
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose);
        var block = new byte[Block];
        var took = new double[Syncs];
        for (var i = 0; i < Syncs; i++)
        {
            var start = time.GetTimestamp();
            RandomAccess.Write(file, block, (long)i * Block);
            RandomAccess.FlushToDisk(file);
            took[i] = time.GetElapsedTime(start).TotalMilliseconds;
        }
        return Latency.Of(took);
    }

    /// <summary>The machine's load average over the last minute.</summary>
    public static double LoadAverage() =>
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    private static string Value(string file, string key) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() : "unknown";
}
