using System.Diagnostics;

namespace FuncStash.Bench;

/// <summary>A server in a process of its own that prints QSTASH_URL= and QSTASH_TOKEN= once it is ready.</summary>
internal sealed class ReadyProcess : IDisposable
{
    private readonly Process _process;

    public Uri Url { get; private set; } = new("about:blank");
    public string Token { get; private set; } = "";
    public int Pid => _process.Id;

    private ReadyProcess(Process process) => _process = process;

    /// <summary>Starts it. Its standard output is read, its standard error is this process's.</summary>
    public static ReadyProcess Start(IEnumerable<string> arguments, bool withInput, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardInput = withInput, RedirectStandardOutput = true };
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        return new ReadyProcess(Process.Start(start) ?? throw new InvalidOperationException("the server did not start"));
    }

    /// <exception cref="InvalidOperationException">it ended before it was ready, or took longer than 30 seconds</exception>
    public async Task WaitAsync(TimeProvider time, CancellationToken stop = default)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            Url = new Uri(await ValueAsync("QSTASH_URL=") + "/");
            Token = await ValueAsync("QSTASH_TOKEN=");
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new InvalidOperationException("the server was not ready within 30 s", e);
        }

        async Task<string> ValueAsync(string name)
        {
            while (await _process.StandardOutput.ReadLineAsync(either.Token) is { } line)
            {
                if (line.StartsWith(name, StringComparison.Ordinal))
                    return line[name.Length..];
            }
            throw new InvalidOperationException($"the server printed no {name}");
        }
    }

    /// <summary>Ends a process that ends with its standard input.</summary>
    public void EndInput()
    {
        _process.StandardInput.Close();
        _process.WaitForExit(TimeSpan.FromSeconds(5));
    }

    /// <summary>SIGKILL; returns once the process is gone. No effect on one that has ended.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }
}
