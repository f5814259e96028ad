using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Workflows;

/// <summary>A program that serves workflows with the official SDK (app/app.mjs), in a Node process of its own.</summary>
public sealed class WorkflowApp : IAsyncDisposable
{
    private static readonly TimeSpan s_start = TimeSpan.FromSeconds(30);

    // A connection for each call: Node closes one that has been idle for 5 s, also while a request is on its way to it.
    private static readonly HttpClient s_http =
        new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero }) { Timeout = TimeSpan.FromSeconds(60) };

    private readonly ChildProcess _process;
    private readonly string _url;

    private WorkflowApp(ChildProcess process, string url) => (_process, _url) = (process, url);

    /// <param name="server">The server that its workflows run against.</param>
    public static async Task<WorkflowApp> StartAsync(RunningHost server)
    {
        await NodeModules.EnsureAsync(Repository.WorkflowAppFolder);
        var settings = Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.Contains("QSTASH", StringComparison.Ordinal)).ToDictionary(name => name, _ => (string?)null);
        settings["QSTASH_URL"] = server.Url.GetLeftPart(UriPartial.Authority);
        settings["QSTASH_TOKEN"] = server.Credentials.Token;
        settings["QSTASH_CURRENT_SIGNING_KEY"] = server.Credentials.CurrentSigningKey;
        settings["QSTASH_NEXT_SIGNING_KEY"] = server.Credentials.NextSigningKey;
        var process = ChildProcess.Start("node", ["app.mjs"], settings, Repository.WorkflowAppFolder);
        try
        {
            var line = await process.WaitForLineAsync(line => line.StartsWith("{\"url\"", StringComparison.Ordinal), s_start);
            return new WorkflowApp(process, (string)JsonNode.Parse(line)!["url"]!);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public string Flow(string name) => $"{_url}/flow/{name}";

    /// <summary>The same workflow behind the Express adapter and a body parser.</summary>
    public string ExpressFlow(string name) => $"{_url}/express/{name}";

    /// <summary>The same workflow by another of the SDK's adapters (app/adapters.mjs).</summary>
    public string AdapterFlow(string adapter, string name) => $"{_url}/adapter/{adapter}/{name}";

    /// <summary>Calls a method of the SDK's client, such as <c>dlq.resume</c>.</summary>
    /// <exception cref="SdkException">The SDK threw.</exception>
    public async Task<JsonNode?> CallAsync(string call, params object[] args)
    {
        using var answer = await s_http.PostAsJsonAsync($"{_url}/call", new { call, args });
        var json = JsonNode.Parse(await answer.Content.ReadAsStringAsync());
        return answer.IsSuccessStatusCode ? json : throw new SdkException((string)json!["name"]!, (string)json["message"]!, (int?)json["status"]);
    }

    /// <summary>Starts a run.</summary>
    /// <param name="options">What the SDK's <c>trigger</c> takes, without the URL.</param>
    /// <returns>The run's id.</returns>
    public async Task<string> TriggerAsync(string url, object? options = null)
    {
        var given = JsonSerializer.SerializeToNode(options ?? new { })!.AsObject();
        given["url"] = url;
        given["retries"] ??= 0;
        return (string)(await CallAsync("trigger", given))!["workflowRunId"]!;
    }

    public async Task<RunRecord> RecordAsync(string run) =>
        (await s_http.GetFromJsonAsync<RunRecord>($"{_url}/record/{run}", JsonSerializerOptions.Web))!;

    /// <summary>How many runs have returned.</summary>
    public async Task<int> ReturnedAsync() => (int)(await s_http.GetFromJsonAsync<JsonNode>($"{_url}/count"))!["returned"]!;

    /// <summary>Lets the step of <c>failing</c> work from now on.</summary>
    public async Task MendAsync(string key) => (await s_http.PostAsync($"{_url}/mend/{key}", null)).EnsureSuccessStatusCode().Dispose();

    /// <summary>A run as the logs have it, once it is in the state.</summary>
    public Task<JsonNode> LogAsync(string run, string state, TimeSpan? timeout = null) => LogAsync(run, log => (string?)log["workflowState"] == state, timeout);

    public async Task<JsonNode> LogAsync(string run, Func<JsonNode, bool> there, TimeSpan? timeout = null) => (await Eventually.GetAsync(
        async () => (await CallAsync("logs", new { filter = new { workflowRunId = run } }))!["runs"]!.AsArray().SingleOrDefault(),
        log => log is not null && there(log), log => $"{run}: {log?.ToJsonString()}", timeout))!;

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}

/// <summary>What the program saw of a run.</summary>
/// <param name="Ran">Its steps, each time one ran.</param>
/// <param name="Returned">What its workflow returned, each time it did.</param>
/// <param name="Lost">Steps that ran although the server had acknowledged their result, well before.</param>
/// <param name="Late">Steps that ran by a delivery that was on its way when the server acknowledged their result.</param>
public sealed record RunRecord(
    IReadOnlyList<RunDelivery> Deliveries, IReadOnlyList<RanStep> Ran, IReadOnlyList<JsonNode> Returned, IReadOnlyList<int> Lost, IReadOnlyList<int> Late);

/// <param name="Entries">The messages of the history that it carried; null where it carried none.</param>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Length">Of its body, in characters.</param>
public sealed record RunDelivery(string MessageId, string Kind, int Retried, long At, int? Length, IReadOnlyList<string>? Entries, int? Status);

/// <param name="At">Unix milliseconds.</param>
public sealed record RanStep(int Id, long At);
