using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FuncStash.Testing;

/// <summary>A process the tests started, with its output kept, so that a failure can show it.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> Matches, TaskCompletionSource<string> Found)> _waiting = [];
    private readonly bool _tree;

    private ChildProcess(Process process, bool tree) => (_process, _tree) = (process, tree);

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output
    {
        get
        {
            lock (_gate)
                return string.Join('\n', _lines);
        }
    }

    /// <param name="tree">Whether ending the process ends what it started too, for hosts that are launchers.</param>
    public static ChildProcess Start(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null,
        string? folder = null, bool tree = false)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
            UseShellExecute = false, WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var child = new ChildProcess(process, tree);
        process.OutputDataReceived += (_, line) => child.Take(line.Data);
        process.ErrorDataReceived += (_, line) => child.Take(line.Data);
        process.Exited += (_, _) => child.FailWaiters();
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>The first line, printed already or to come, that matches; fails when the process ends before.</summary>
    public async Task<string> WaitForLineAsync(Func<string, bool> matches, TimeSpan? timeout = null)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_lines.Find(line => matches(line)) is { } line)
                return line;
            _waiting.Add((matches, found));
        }

        if (_process.HasExited)
            FailWaiters();
        try
        {
            return await found.Task.WaitAsync(timeout ?? s_patience, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"not ready after {(timeout ?? s_patience).TotalSeconds} s; it printed:\n{Output}");
        }
    }

    /// <summary>Asks the process to end with SIGTERM, waits, and returns its exit code.</summary>
    public async Task<int> TerminateAsync(TimeSpan timeout)
    {
        if (!_process.HasExited)
            _ = kill(_process.Id, SigTerm);
        return await ExitAsync(timeout);
    }

    /// <summary>The exit code, once the process has ended by itself.</summary>
    public async Task<int> ExitAsync(TimeSpan? timeout = null)
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(timeout ?? s_patience, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"still running after {(timeout ?? s_patience).TotalSeconds} s; it printed:\n{Output}");
        }

        return _process.ExitCode;
    }

    /// <summary>Ends the process with SIGKILL.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
            _process.Kill(_tree);
        await _process.WaitForExitAsync();
    }

    /// <summary>Ends with SIGKILL the one process below this one whose command line has the text.</summary>
    /// <returns>False when there is none.</returns>
    public async Task<bool> KillBelowAsync(string commandLine)
    {
        if (Descendants(Id).Where(id => CommandLine(id).Contains(commandLine, StringComparison.Ordinal)).ToList() is not [var id])
            return false;
        using var below = Process.GetProcessById(id);
        below.Kill();
        await below.WaitForExitAsync();
        return true;
    }

    private static IEnumerable<int> Descendants(int parent) =>
        Directory.EnumerateDirectories($"/proc/{parent}/task")
            .SelectMany(thread => File.ReadAllText(thread + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(id => int.Parse(id, CultureInfo.InvariantCulture))
            .SelectMany(id => Descendants(id).Prepend(id));

    private static string CommandLine(int id) => File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        List<TaskCompletionSource<string>> found = [];
        lock (_gate)
        {
            _lines.Add(line);
            found.AddRange(_waiting.Where(waiter => waiter.Matches(line)).Select(waiter => waiter.Found));
            _waiting.RemoveAll(waiter => found.Contains(waiter.Found));
        }

        found.ForEach(waiter => waiter.TrySetResult(line));
    }

    private void FailWaiters()
    {
        lock (_gate)
        {
            // The last lines may still be on their way; the waiter shows what has come.
            var failure = new InvalidOperationException("the process ended; it printed:\n" + string.Join('\n', _lines));
            _waiting.ForEach(waiter => waiter.Found.TrySetException(failure));
            _waiting.Clear();
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int processId, int signal);
}
