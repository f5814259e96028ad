using System.Globalization;

namespace FuncStash.Testing;

/// <summary>One running FuncStash, whatever runs it.</summary>
public sealed class RunningHost : IAsyncDisposable
{
    private readonly ChildProcess _process;

    internal RunningHost(ChildProcess process, Uri url, Credentials credentials)
    {
        _process = process;
        Url = url;
        Credentials = credentials;
    }

    /// <summary>The base URL, such as <c>http://127.0.0.1:8080</c>.</summary>
    public Uri Url { get; }

    public Credentials Credentials { get; }

    public string Output => _process.Output;

    /// <summary>What its process has in memory now, in bytes.</summary>
    public long ResidentBytes => ReadStatus("VmRSS");

    /// <summary>The most it ever had since it started, or since <see cref="ForgetPeak"/>.</summary>
    public long PeakBytes => ReadStatus("VmHWM");

    /// <summary>Takes what the process has in memory now for the most it ever had.</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{_process.Id}/clear_refs", "5");

    /// <summary>The id of its process.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Ends it with SIGTERM; the exit code.</summary>
    public Task<int> StopAsync() => _process.TerminateAsync(TimeSpan.FromSeconds(30));

    /// <summary>Ends it with SIGKILL, at once, wherever it is.</summary>
    public Task KillAsync() => _process.KillAsync();

    /// <summary>Ends with SIGKILL the process in which a Functions host runs the app; the host goes on.</summary>
    /// <returns>False when there is none now.</returns>
    public Task<bool> KillWorkerAsync() => _process.KillBelowAsync("FuncStash.Functions.dll");

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    // Lines such as "VmRSS:	  71280 kB", see proc_pid_status(5).
    private long ReadStatus(string name)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line[(name.Length + 1)..^2].Trim(), CultureInfo.InvariantCulture);
    }
}

/// <summary>What a client and a receiver need to know; the defaults are the public ones of protocol#development-server.</summary>
public sealed record Credentials(string Token, string CurrentSigningKey, string NextSigningKey)
{
    public static Credentials Development { get; } = new(
        "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=",
        "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
        "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs");

    public Credentials WithSwappedKeys() =>
        this with { CurrentSigningKey = NextSigningKey, NextSigningKey = CurrentSigningKey };
}
