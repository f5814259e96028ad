using System.Text;
using System.Text.Json;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>The answer to a publish that is a part of a run.</summary>
/// <param name="Id">The message that it made.</param>
/// <param name="Deduplicated">True for the trigger of a run that there is already.</param>
public sealed record RunPublished(MessageId Id, string RunId, bool Deduplicated);

/// <summary>Takes in publishes that are parts of runs, whichever call they come by: triggers, steps, calls, invocations.</summary>
public sealed class RunPublisher(
    RunTrigger trigger, RunSubmissions submissions, RunInvocations invocations, RunDebts debts, RunCheck check)
{
    /// <summary>
    /// Takes in what came by one call. All of it is looked at before any is stored, so that nothing is stored of a call that is
    /// refused for what it says. What a run or the store refuses after that, as when the run ends in between or becomes too
    /// large, leaves what came before it; sent once more, each item is there already, or is taken in then.
    /// </summary>
    /// <exception cref="QStashException">400 for a run that is over or a trigger that means nothing, 412 for what a run can never have.</exception>
    public async ValueTask<IReadOnlyList<RunPublished>> PublishAsync(IReadOnlyList<RunRequest> requests, CancellationToken cancellation = default)
    {
        // What most calls bring: the result of one step.
        if (requests is [{ Headers.IsTrigger: false } only])
        {
            await submissions.CheckAsync(requests, cancellation);
            return [new RunPublished((await submissions.SubmitAsync(requests, cancellation))[0], only.RunId, Deduplicated: false)];
        }
        var answers = new RunPublished[requests.Count];
        var starts = new List<(int Index, RunStart Start)>();
        var steps = new List<(int Index, RunRequest Request)>();
        var invoked = new List<(int Index, MessageId Invoker, StepDraft Draft)>();
        foreach (var request in requests.Where(request => request.Headers.IsTrigger))
            check.Begin(request);
        for (var i = 0; i < requests.Count; i++)
        {
            var request = requests[i];
            if (request.Headers is { IsTrigger: true, IsInvoke: true })
            {
                var (invoker, draft) = await invocations.ReadAsync(Read(request), cancellation);
                invoked.Add((i, invoker, draft));
            }
            else if (request.Headers.IsTrigger)
            {
                await check.TriggerAsync(request, cancellation);
                starts.Add((i, RunStart.Of(request)));
                trigger.Check(starts[^1].Start);
            }
            else
            {
                steps.Add((i, request));
            }
        }
        var runs = steps.GroupBy(step => step.Request.RunId, StringComparer.Ordinal).ToList();
        foreach (var ofRun in runs)
        {
            await submissions.CheckAsync([.. ofRun.Select(step => step.Request)], cancellation);
            // With nothing else in the call the submission itself tells.
            if (runs.Count + starts.Count + invoked.Count > 1)
                await submissions.FindAsync(ofRun.Key, cancellation);
        }
        foreach (var (index, invoker, draft) in invoked)
        {
            answers[index] = new RunPublished(await submissions.SubmitAsync(invoker, draft, cancellation), requests[index].RunId, Deduplicated: false);
            await debts.SettleAsync(invoker, CancellationToken.None);
        }
        foreach (var ofRun in runs)
        {
            var ids = await submissions.SubmitAsync([.. ofRun.Select(step => step.Request)], cancellation);
            foreach (var ((index, request), id) in ofRun.Zip(ids))
                answers[index] = new RunPublished(id, request.RunId, Deduplicated: false);
        }
        var triggered = await trigger.StartAsync([.. starts.Select(start => start.Start)], cancellation);
        foreach (var ((index, _), run) in starts.Zip(triggered))
            answers[index] = new RunPublished(run.Message ?? run.Key, run.RunId, run.Deduplicated);
        return answers;
    }

    private static Invocation Read(RunRequest request)
    {
        try
        {
            using var document = WholeText.Parse(request.Publish.Body);
            var body = document.RootElement;
            string Text(string name) => body.GetProperty(name).GetString() ?? throw new JsonException($"{name} is missing");
            var payload = body.TryGetProperty("body", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "";
            var headers = (body.GetProperty("headers").Deserialize(MessageJson.Default.HeaderMap) ?? HeaderMap.Empty).Select(static (_, text) => HeaderValue.Of(text));
            var invoked = request with { Publish = request.Publish with { Body = Encoding.UTF8.GetBytes(payload) } };
            return new Invocation(invoked, Text("workflowRunId"), Text("workflowUrl"), LastOf(headers), body.GetProperty("step").GetRawText());
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new QStashException(412, $"invalid invocation: {error.Message}");
        }
    }

    // The run's id stands in it twice, in two spellings.
    internal static HeaderMap LastOf(HeaderMap headers)
    {
        var once = new HeaderMap();
        foreach (var (name, values) in headers.Where(header => header.Value.Length > 0))
            once.Set(name, values[^1]);
        return once;
    }
}
