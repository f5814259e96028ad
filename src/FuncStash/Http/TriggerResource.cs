using System.Text;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Telemetry;
using FuncStash.UrlGroups;
using FuncStash.Wire;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary><c>POST /v2/trigger/{workflowUrl}</c> and <c>/v2/batch/trigger</c>: runs without the SDK (protocol#trigger).</summary>
public sealed class TriggerResource(RunTrigger trigger, RunCheck check, UrlGroupStore groups, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("POST", "/v2/trigger/{destination*}", AccessLevel.Full, TriggerAsync),
        new("POST", "/v2/batch/trigger", AccessLevel.Full, TriggerManyAsync),
    ];

    private async Task TriggerAsync(ApiCall call)
    {
        var request = await RequestReader.ReadAsync(call, call.Values[0], groups, options, isPlainTrigger: true);
        var started = await trigger.StartAsync([await StartOfAsync(request, call.Aborted)], call.Aborted);
        await call.JsonAsync(started[0].Deduplicated ? 202 : 200, json => RunAnswer.Write(json, started[0]));
    }

    private async Task TriggerManyAsync(ApiCall call)
    {
        var body = await call.BodyAsync(options.MaxBatchBytes);
        using var document = JsonBody.Parse(body, JsonValueKind.Array);
        var trace = TraceContext.Of(call.Request);
        var requests = document.RootElement.EnumerateArray().Select(item => BatchResource.Read(item, call.CallerIp, options) with { Trace = trace }).ToList();
        foreach (var request in requests)
            check.Begin(new RunRequest(request, new()));
        var starts = new List<RunStart>(requests.Count);
        foreach (var request in requests)
            starts.Add(await StartOfAsync(request, call.Aborted));
        var started = await trigger.StartAsync(starts, call.Aborted);
        await call.JsonAsync(201, json =>
        {
            json.WriteStartArray();
            foreach (var run in started)
                RunAnswer.Write(json, run);
            json.WriteEndArray();
        });
    }

    private async ValueTask<RunStart> StartOfAsync(PublishRequest request, CancellationToken cancellation)
    {
        await check.TriggerAsync(new RunRequest(request, request.Settings.Workflow with { IsTrigger = true }), cancellation);
        return RunStart.Plain(request);
    }
}
