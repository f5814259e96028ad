using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace FuncStash.Testing;

/// <summary>A storage account of its own: one Azurite process on free ports of 127.0.0.1, data in a temporary folder.</summary>
/// <remarks>
/// <see cref="StopAsync"/> is an outage of an account that keeps what it acknowledged, as Azure does.
/// <see cref="Kill"/> is worse than Azure can get: Azurite then forgets what it took in its last five seconds, unless it was
/// started to save all at once.
/// </remarks>
public sealed partial class AzuriteServer : IAsyncDisposable
{
    // Not a name that starts with a table's: the tables library would cut the table out of the address.
    private const string Account = "azurite";
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(60), s_stopLimit = TimeSpan.FromSeconds(20);

    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly string _data = Directory.CreateTempSubdirectory("funcstash-azurite-").FullName;
    private readonly Dictionary<string, int> _ports = new() { ["Blob"] = 0, ["Queue"] = 0, ["Table"] = 0 };
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly List<string> _output = [];
    private Process? _process;
    private TimeSpan _ahead;
    private TaskCompletionSource _forwarded = new();

    private readonly bool _savesAtOnce;

    private AzuriteServer(bool savesAtOnce) => _savesAtOnce = savesAtOnce;

    /// <summary>For the Azure libraries and for <c>AzureWebJobsStorage</c>. The same after a restart.</summary>
    public string ConnectionString =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={_key};" +
        $"BlobEndpoint={Address("Blob")};QueueEndpoint={Address("Queue")};TableEndpoint={Address("Table")};";

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Starts an Azurite; installs it first where it is not.</summary>
    /// <param name="savesAtOnce">Whether it saves every change before it acknowledges it, which makes it slower.</param>
    /// <param name="contents">A .tar.gz of the folder of an Azurite that was stopped, whose account has the same name; null: an empty account.</param>
    /// <exception cref="InvalidOperationException">Node.js or npm is missing, or Azurite did not start.</exception>
    public static async Task<AzuriteServer> StartAsync(bool savesAtOnce = false, string? contents = null)
    {
        var server = new AzuriteServer(savesAtOnce);
        try
        {
            if (contents is not null)
            {
                await using var packed = new GZipStream(File.OpenRead(contents), CompressionMode.Decompress);
                await TarFile.ExtractToDirectoryAsync(packed, server._data, overwriteFiles: false);
            }
            await server.RestartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it again after <see cref="StopAsync"/> or <see cref="Kill"/>: same ports, same data.</summary>
    public async Task RestartAsync()
    {
        if (IsRunning)
            throw new InvalidOperationException("Azurite is running.");
        _process?.Dispose();
        var folder = await AzuritePackage.InstallAsync(_time);
        var start = new ProcessStartInfo("node")
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["AZURITE_ACCOUNTS"] = $"{Account}:{_key}";
        start.Environment["AZURITE_CLOCK_AHEAD"] = Milliseconds(_ahead);
        start.Environment["AZURITE_SAVES"] = _savesAtOnce ? "always" : "";
        foreach (var argument in (string[])
            ["start.cjs", "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", _data])
            start.ArgumentList.Add(argument);
        foreach (var (service, port) in _ports)
        {
            var option = $"--{service.ToLowerInvariant()}";
            foreach (var argument in (string[])
                [$"{option}Host", "127.0.0.1", $"{option}Port", port.ToString(CultureInfo.InvariantCulture)])
                start.ArgumentList.Add(argument);
        }
        _process = AzuritePackage.Start(start, "node");
        await ListenAsync(_process);
    }

    /// <summary>Stops it in order: everything acknowledged is still there after a restart.</summary>
    public async Task StopAsync()
    {
        if (!IsRunning)
            return;
        await _process!.StandardInput.WriteLineAsync("stop");
        await _process.StandardInput.FlushAsync();
        using var limit = new CancellationTokenSource(s_stopLimit, _time);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
            throw new InvalidOperationException($"Azurite did not stop.\n{Output()}");
        }
    }

    /// <summary>Puts the account's clock forward: what was to become visible or to run out by then, has.</summary>
    /// <remarks>It stays ahead, also after a restart. Clients have clocks of their own.</remarks>
    public async Task ForwardAsync(TimeSpan span)
    {
        if (!IsRunning)
            throw new InvalidOperationException("Azurite is not running.");
        _ahead += span;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_output)
            _forwarded = done;
        await _process!.StandardInput.WriteLineAsync($"forward {Milliseconds(span)}");
        await _process.StandardInput.FlushAsync();
        await done.Task.WaitAsync(s_stopLimit, _time);
    }

    /// <summary>Kills the process (SIGKILL) and waits until it is gone.</summary>
    public void Kill()
    {
        if (!IsRunning)
            return;
        _process!.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        _process?.Dispose();
        if (Directory.Exists(_data))
            Directory.Delete(_data, recursive: true);
        return ValueTask.CompletedTask;
    }

    // Port 0 lets the system choose; the choice is in what Azurite prints once it listens.
    private async Task ListenAsync(Process azurite)
    {
        var waiting = new HashSet<string>(_ports.Keys);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Read(object sender, DataReceivedEventArgs line)
        {
            lock (_output)
            {
                if (line.Data is null)
                    return;
                _output.Add(line.Data);
                if (line.Data == $"Azurite is {Milliseconds(_ahead)} ms ahead")
                    _forwarded.TrySetResult();
                var match = Listening().Match(line.Data);
                if (!match.Success)
                    return;
                _ports[match.Groups[1].Value] = int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
                waiting.Remove(match.Groups[1].Value);
                if (waiting.Count == 0)
                    ready.TrySetResult();
            }
        }

        azurite.OutputDataReceived += Read;
        azurite.ErrorDataReceived += Read;
        azurite.BeginOutputReadLine();
        azurite.BeginErrorReadLine();
        var exit = azurite.WaitForExitAsync();
        try
        {
            if (await Task.WhenAny(ready.Task, exit).WaitAsync(s_startLimit, _time) == exit)
                throw new InvalidOperationException($"Azurite ended at once, exit code {azurite.ExitCode}.\n{Output()}");
        }
        catch (TimeoutException)
        {
            Kill();
            throw new InvalidOperationException($"Azurite did not listen within {s_startLimit}.\n{Output()}");
        }
    }

    private string Output()
    {
        lock (_output)
            return string.Join('\n', _output);
    }

    private static string Milliseconds(TimeSpan span) => ((long)span.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    private string Address(string service) => $"http://127.0.0.1:{_ports[service]}/{Account}";

    [GeneratedRegex(@"^Azurite (\w+) service is successfully listening at http://127\.0\.0\.1:(\d+)")]
    private static partial Regex Listening();
}
