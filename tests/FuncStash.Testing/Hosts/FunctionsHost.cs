using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace FuncStash.Testing;

/// <summary>
/// FuncStash.Functions in a Functions host: <c>func</c> from the PATH, or the command in FUNCSTASH_FUNC_START,
/// which is called with the app's output folder and the port to listen on.
/// </summary>
public sealed class FunctionsHost : HostFixture
{
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(120);
    private static readonly string? s_command = Environment.GetEnvironmentVariable("FUNCSTASH_FUNC_START");

    public override string Name => "Functions+Azurite";

    public override string? Unavailable =>
        !File.Exists(Path.Combine(Repository.FunctionsOutput, "host.json"))
            ? "the Functions app is not built here"
            : string.IsNullOrEmpty(s_command) && !IsOnPath("func")
                ? "there is no Functions host: no func on the PATH, and FUNCSTASH_FUNC_START is not set"
                : null;

    public override bool HasFrontEnd => true;

    // Ten minutes on the messages of a queue trigger, by the host; one on those of orchestrations, by host.json.
    public override Task EndLeasesAsync(DataStore data) => ((AzuriteData)data).ForwardAsync(TimeSpan.FromMinutes(10));

    public override Task<DataStore> NewDataAsync() => AzuriteData.StartAsync();

    public override async Task<(DataStore, JsonNode)> OldDataAsync() => (await AzuriteData.StartOldAsync(), Repository.OldContents("azure-1.json"));

    public override async Task<RunningHost> StartAsync(DataStore data, int port = 0, Credentials? credentials = null)
    {
        credentials ??= Credentials.Development;
        var number = (port == 0 ? Ports.Free() : port).ToString(CultureInfo.InvariantCulture);
        var (file, arguments) = string.IsNullOrEmpty(s_command)
            ? ("func", (string[])["start", "--port", number])
            : (s_command, [Repository.FunctionsOutput, number]);
        var process = ChildProcess.Start(
            file, arguments,
            new Dictionary<string, string?>(data.Environment)
            {
                ["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated",
                ["FUNCSTASH_TASK_HUB"] = "FuncStash",
                ["QSTASH_TOKEN"] = credentials.Token,
                ["QSTASH_CURRENT_SIGNING_KEY"] = credentials.CurrentSigningKey,
                ["QSTASH_NEXT_SIGNING_KEY"] = credentials.NextSigningKey,
                // Names of tests need not exist; what becomes of those that do not is another test.
                ["FUNCSTASH_CHECK_HOSTS"] = data.Environment.GetValueOrDefault("FUNCSTASH_CHECK_HOSTS") ?? "false",
                // The receiver is on this machine.
                ["FUNCSTASH_ALLOW_PRIVATE_NETWORKS"] = data.Environment.GetValueOrDefault("FUNCSTASH_ALLOW_PRIVATE_NETWORKS") ?? "true",
            },
            Repository.FunctionsOutput, tree: true);
        var host = new RunningHost(process, new Uri("http://127.0.0.1:" + number), credentials);
        try
        {
            await Eventually.GetAsync(() => AnswersAsync(host), answers => answers, _ => host.Output, s_startTimeout);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> AnswersAsync(RunningHost host)
    {
        try
        {
            return (await new WireClient(host).GetAsync("/v2/keys")).Status == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static bool IsOnPath(string file) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, file)));
}
