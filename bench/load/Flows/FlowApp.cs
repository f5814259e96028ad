using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Bench.Flows;

/// <summary>
/// A program with workflows, as small as one can be that makes the calls of the official SDK (protocol#workflows): it takes the
/// history, submits the next step's result or ends the run.
/// </summary>
internal sealed class FlowApp : IAsyncDisposable
{
    public const int Steps = 5;

    private static readonly MediaTypeHeaderValue s_json = new("application/json");

    private readonly WebApplication _app = Loopback.Server(maxBody: 1024 * 1024);
    private readonly HttpMessageInvoker _http;
    private readonly Uri _server;
    private readonly string _token;
    private readonly ConcurrentDictionary<string, int> _deliveries = new();
    private readonly ConcurrentDictionary<string, int> _ends = new();
    private int _asleep, _extra, _wrong;
    private string _url = "";

    private FlowApp(Uri server, string token, int connections)
    {
        (_server, _token) = (server, token);
        _http = Loopback.Client(connections);
        _app.Run(DeliverAsync);
    }

    /// <summary>Runs whose end the server acknowledged.</summary>
    public int Ended => _ends.Count;

    /// <summary>Runs that were told to sleep for a day.</summary>
    public int Asleep => Volatile.Read(ref _asleep);

    /// <summary>Calls that were refused, runs that ended twice, and histories that were not as they should be.</summary>
    public int Wrong => Volatile.Read(ref _wrong);

    public string? FirstWrong { get; private set; }

    /// <summary>Deliveries beyond the one for the trigger and one for each step.</summary>
    public int Extra => Volatile.Read(ref _extra);

    public static async Task<FlowApp> StartAsync(ReadyProcess server, int connections)
    {
        var app = new FlowApp(server.Url, server.Token, connections);
        await app._app.StartAsync();
        app._url = $"http://127.0.0.1:{new Uri(app._app.Urls.First()).Port}";
        return app;
    }

    /// <summary>Triggers runs, as many at a time as there are connections.</summary>
    /// <param name="name">Of the runs: they are numbered.</param>
    /// <param name="kind">"steps", "none" for runs that end at once, or "sleep".</param>
    public Task TriggerAsync(string name, string kind, int runs, int atOnce) => Parallel.ForAsync(
        0, runs, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (n, _) => await SendAsync(
            HttpMethod.Post, "v2/batch", Item(kind, $"wfr_{name}-{n}", "{\"n\":1}", isFirst: true)));

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task DeliverAsync(HttpContext context)
    {
        using var history = await JsonDocument.ParseAsync(context.Request.Body);
        var (run, done) = (context.Request.Headers["Upstash-Workflow-RunId"].ToString(), history.RootElement.GetArrayLength() - 1);
        var kind = context.Request.Path.Value!.Trim('/');
        var steps = kind switch { "steps" => Steps, "sleep" => 1, _ => 0 };
        if (_deliveries.AddOrUpdate(run, 1, (_, n) => n + 1) > steps + 1)
            Interlocked.Increment(ref _extra);
        context.Response.Headers["Upstash-Workflow-Sdk-Version"] = "1";
        if (kind == "sleep")
        {
            var step = $$"""{"stepId":1,"stepName":"rest","stepType":"SleepFor","sleepFor":86400,"concurrent":1}""";
            if (await SendAsync(HttpMethod.Post, "v2/batch", Item("sleep", run, step, isFirst: false, ("Upstash-Delay", "86400s"))))
                Interlocked.Increment(ref _asleep);
        }
        else if (done < steps)
        {
            if (done < 0)
                Note($"{run}: an empty history");
            var step = $$"""{"stepId":{{done + 1}},"stepName":"step {{done + 1}}","stepType":"Run","out":"{{done + 1}}","concurrent":1}""";
            await SendAsync(HttpMethod.Post, "v2/batch", Item("steps", run, step, isFirst: false));
        }
        else if (await SendAsync(HttpMethod.Delete, $"v2/workflows/runs/{run}?cancel=false", "\"done\"")
            && _ends.AddOrUpdate(run, 1, (_, n) => n + 1) > 1)
        {
            Note($"{run}: ended twice");
        }
        await context.Response.WriteAsJsonAsync(new JsonObject { ["workflowRunId"] = run, ["finishCondition"] = "success" });
    }

    private string Item(string kind, string run, string body, bool isFirst, params (string Name, string Value)[] more)
    {
        var headers = new JsonObject
        {
            ["Upstash-Method"] = "POST", ["content-type"] = "application/json",
            ["Upstash-Workflow-Init"] = isFirst ? "true" : "false", ["Upstash-Workflow-RunId"] = run,
            ["Upstash-Workflow-Url"] = $"{_url}/{kind}", ["Upstash-Workflow-Sdk-Version"] = "1",
            ["Upstash-Feature-Set"] = "LazyFetch,InitialBody,WF_DetectTrigger,WF_TriggerOnConfig",
            ["Upstash-Forward-Upstash-Workflow-Sdk-Version"] = "1",
        };
        foreach (var (name, value) in more)
            headers[name] = value;
        return new JsonArray(new JsonObject { ["destination"] = $"{_url}/{kind}", ["headers"] = headers, ["body"] = body }).ToJsonString();
    }

    private async Task<bool> SendAsync(HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, new Uri(_server, path)) { Content = new StringContent(body, s_json) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        using var response = await _http.SendAsync(request, CancellationToken.None);
        var answer = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
            Note($"{method} {path}: {(int)response.StatusCode} {answer}");
        return response.IsSuccessStatusCode;
    }

    private void Note(string what)
    {
        if (Interlocked.Increment(ref _wrong) == 1)
            FirstWrong = what;
    }
}
