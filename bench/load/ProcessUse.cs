using System.Diagnostics;
using System.Globalization;

namespace FuncStash.Bench;

/// <summary>CPU and memory of one process while a phase runs. Memory is sampled every 250 ms.</summary>
internal sealed class ProcessUse : IDisposable
{
    // PSS is dear to read (the kernel walks all pages), so not more often.
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(250);

    private static readonly int[] s_busyFields = [1, 2, 3, 6, 7];

    private readonly int _pid;
    private readonly double _cpuBefore, _loadBefore, _busyBefore;
    private readonly long _start;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _sampling = new();
    private long _peakPss, _peakRss;

    public ProcessUse(int pid, TimeProvider time)
    {
        (_pid, _time) = (pid, time);
        (_cpuBefore, _loadBefore, _busyBefore, _start) = (Cpu(pid), OwnCpu(), BusySeconds(), time.GetTimestamp());
        _timer = time.CreateTimer(_ => Sample(), null, TimeSpan.Zero, s_period);
    }

    /// <param name="CpuSeconds">user and system time of the process</param>
    /// <param name="LoadCpuSeconds">the same of this load generator, publisher and sink</param>
    /// <param name="OtherCores">cores kept busy by anything else on the machine, on average</param>
    /// <param name="PeakPss">largest proportional set size seen, in bytes: shared pages count in part</param>
    /// <param name="PeakRss">largest resident set size seen, in bytes</param>
    internal sealed record Result(double CpuSeconds, double LoadCpuSeconds, double OtherCores, long PeakPss, long PeakRss);

    public Result Read()
    {
        Sample();
        var (cpu, load) = (Cpu(_pid) - _cpuBefore, OwnCpu() - _loadBefore);
        var other = (BusySeconds() - _busyBefore - cpu - load) / _time.GetElapsedTime(_start).TotalSeconds;
        lock (_sampling)
            return new Result(cpu, load, Math.Max(0, other), _peakPss, _peakRss);
    }

    private void Sample()
    {
        if (!_sampling.TryEnter())
            return;
        try
        {
            _peakPss = Math.Max(_peakPss, KiB($"/proc/{_pid}/smaps_rollup", "Pss:") * 1024);
            _peakRss = Math.Max(_peakRss, KiB($"/proc/{_pid}/status", "VmRSS:") * 1024);
        }
        finally
        {
            _sampling.Exit();
        }
    }

    private static double Cpu(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.TotalProcessorTime.TotalSeconds;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return double.NaN; // It ended. Its messages are counted as lost; the report shows no figure here.
        }
    }

    private static double OwnCpu() => Environment.CpuUsage.TotalTime.TotalSeconds;

    // proc_stat(5), first line: cpu user nice system idle iowait irq softirq steal, in 1/100 s.
    private static double BusySeconds()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return s_busyFields.Sum(i => double.Parse(fields[i], CultureInfo.InvariantCulture)) / 100;
    }

    private static long KiB(string file, string key)
    {
        try
        {
            var line = File.ReadLines(file).FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line[key.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0; // Gone, or another user's: the report shows no figure.
        }
    }

    public void Dispose() => _timer.Dispose();
}
