using System.Diagnostics;

namespace FuncStash.Bench;

/// <summary>The ceiling in a process of its own, as the server under test has one. It ends when its standard input
/// does, so it cannot outlive this process however that ends.</summary>
internal sealed class CeilingProcess : IDisposable
{
    private readonly Process _process;

    public Uri Url { get; }
    public string Token { get; }
    public int Pid => _process.Id;

    private CeilingProcess(Process process, Uri url, string token) => (_process, Url, Token) = (process, url, token);

    /// <exception cref="InvalidOperationException">it was not ready within 30 seconds</exception>
    public static async Task<CeilingProcess> StartAsync(TimeProvider time)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CeilingProcess).Assembly.Location, "ceiling"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("the ceiling did not start");
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), time);
            var url = await ValueAsync("QSTASH_URL=");
            var token = await ValueAsync("QSTASH_TOKEN=");
            return new CeilingProcess(process, new Uri(url + "/"), token);

            async Task<string> ValueAsync(string name) =>
                await process.StandardOutput.ReadLineAsync(limit.Token) is { } line && line.StartsWith(name, StringComparison.Ordinal)
                    ? line[name.Length..] : throw new InvalidOperationException($"the ceiling printed no {name}");
        }
        catch (Exception e)
        {
            End(process);
            throw new InvalidOperationException("the ceiling did not start: " + e.Message, e);
        }
    }

    private static void End(Process process)
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeSpan.FromSeconds(5)))
            process.Kill();
        process.Dispose();
    }

    public void Dispose() => End(_process);
}
