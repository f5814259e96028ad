using System.Text.Json;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>A step on its way into a run.</summary>
/// <param name="Key">Which entry of the run it is; null when it does not say.</param>
/// <param name="Body">What is kept of it.</param>
/// <param name="Make">
/// Makes the entry and its message, from the run as it is, the time in unix milliseconds, and the place among those that
/// are submitted together.
/// </param>
public sealed record StepDraft(StepKey? Key, byte[] Body, Func<Run, long, int, Submission> Make)
{
    /// <summary>What an endpoint submits: a result, a plan or a call.</summary>
    public static StepDraft Of(RunRequest request) => request.Headers.IsCall ? OfCall(request) : OfStep(request);

    private static StepDraft OfStep(RunRequest request)
    {
        var body = request.Publish.Body;
        var text = StepText.TryRead(body);
        return new StepDraft(text?.Key, body, (run, now, index) =>
        {
            var key = text?.Key ?? Nameless(run, index, StepKind.Other);
            var id = run.Key.Follower(key.ToString(), now);
            var step = new RunStep(key, id.Text, now) { Body = body, Size = body.Length, Concurrent = text?.Concurrent ?? 1 };
            return new Submission(step, RunMessages.Step(run, key, id, request))
            {
                HookBase = text?.Type == "CreateWebhook" ? HookBaseOf(body) : null,
                Closes = text is { Id: > 0, Type: "Call" or "Invoke" },
            };
        });
    }

    private static StepDraft OfCall(RunRequest request)
    {
        var isNamed = int.TryParse(Forwarded(request, "Stepid"), out var number) && number is > 0 and <= StepKey.MaxId;
        var concurrent = int.TryParse(Forwarded(request, "Concurrent"), out var count) ? Math.Max(1, count) : 1;
        return new StepDraft(isNamed ? new StepKey(number, StepKind.Call) : null, [], (run, now, index) =>
        {
            var key = isNamed ? new StepKey(number, StepKind.Call) : Nameless(run, index, StepKind.Call);
            var id = run.Key.Follower(key.ToString(), now);
            var step = new RunStep(key, id.Text, now)
            {
                Size = request.Publish.Body.Length, Concurrent = concurrent, Detail = DetailOf(request),
            };
            return new Submission(step, RunMessages.Call(run, key, id, request));
        });
    }

    private static StepKey Nameless(Run run, int index, StepKind kind) =>
        new(Math.Min(run.Progress.Steps + 1 + index, StepKey.MaxId), kind);

    private static StepDetail DetailOf(RunRequest request)
    {
        var settings = request.Publish.Settings;
        return new StepDetail
        {
            Name = Forwarded(request, "Stepname"),
            Type = Forwarded(request, "Steptype") ?? "Call",
            Url = request.Publish.Destination,
            Method = settings.Method ?? "POST",
            Header = settings.Header,
            MaxRetries = settings.Retries ?? 0,
        };
    }

    // What the callback of a call is to carry names the step.
    private static string? Forwarded(RunRequest request, string name) =>
        request.Publish.Settings.Callback?.Settings[$"Upstash-Forward-Upstash-Workflow-{name}"]?[0];

    // The SDK made the URL from what it knows the service by: https://HOST/v2/workflows/hooks/USER/RUN/EVENT.
    private static string? HookBaseOf(byte[] body)
    {
        try
        {
            using var step = WholeText.Parse(body);
            using var result = JsonDocument.Parse(step.RootElement.GetProperty("out").GetString()!);
            var url = result.RootElement.GetProperty("webhookUrl").GetString()!;
            var path = url.IndexOf("/v2/workflows/hooks/", StringComparison.Ordinal);
            return path > 0 && HttpUrl.IsValid(url, out _) ? url[..path] : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentNullException)
        {
            return null;
        }
    }
}
