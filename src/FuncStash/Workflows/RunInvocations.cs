using System.Text;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>A run that another one wants to invoke (protocol#invoke).</summary>
/// <param name="Request">The trigger of the run, its body that run's payload.</param>
/// <param name="InvokerId">The run that invokes.</param>
/// <param name="InvokerUrl">Where its end is reported to.</param>
/// <param name="Settings">The publish settings of that report.</param>
/// <param name="Step">The step that invokes, as JSON without a result.</param>
public sealed record Invocation(RunRequest Request, string InvokerId, string InvokerUrl, HeaderMap Settings, string Step);

/// <summary>Lets a run invoke another one and learn how it ended.</summary>
/// <remarks>
/// The invoking run writes down which run it starts, under which key, before it is started; so there is one for each step,
/// however often the step is submitted. The run that was invoked owes the answer from its end on.
/// </remarks>
public sealed class RunInvocations(
    RunStore runs, RunSubmissions submissions, RunTrigger trigger, RunFailures failures, RunCheck check, MessageIds ids,
    FuncStashOptions options)
{
    /// <summary>Looks at an invocation, and stores nothing; what starts the run is a debt of the invoking one.</summary>
    /// <returns>The invoking run's key, and the step with which it takes the invocation in.</returns>
    /// <exception cref="QStashException">400 when the invoking run is over, 412 for what it can never have.</exception>
    public async ValueTask<(MessageId Invoker, StepDraft Draft)> ReadAsync(Invocation invocation, CancellationToken cancellation = default)
    {
        await check.PartAsync(invocation.Request, cancellation);
        CheckSettings(invocation.Settings);
        var invoker = await submissions.FindAsync(invocation.InvokerId, cancellation);
        if (invoker.Spec.Depth >= options.Workflows.MaxInvokeDepth)
            throw new QStashException(412, $"workflow run is invoked too deep: at most {options.Workflows.MaxInvokeDepth} runs one below the other");
        var step = StepText.TryRead(Encoding.UTF8.GetBytes(invocation.Step));
        if (step is not { Id: > 0 and <= StepKey.MaxId })
            throw new QStashException(412, "invalid invocation: step has no stepId");
        var spec = RunStart.Of(invocation.Request).Spec with
        {
            Invoker = new Invoker(invoker.Spec.RunId, invoker.Key.Text, invoker.Spec.Url, step.Id),
            Depth = invoker.Spec.Depth + 1,
        };
        RunTrigger.CheckSize(spec, 412);
        return (invoker.Key, DraftOf(invocation, step, spec));
    }

    // With these the answer will be submitted, when nobody can be told any more that they are wrong.
    private void CheckSettings(HeaderMap settings)
    {
        try
        {
            PublishSettingsReader.Parse(settings, options);
        }
        catch (QStashException refusal)
        {
            throw RunRules.Refused(refusal);
        }
    }

    private StepDraft DraftOf(Invocation invocation, StepText step, RunSpec invoked)
    {
        var key = new StepKey(step.Id, StepKind.Invoke);
        var (payload, message) = (invocation.Request.Publish.Body, ids.Next().OfRun().Text);
        var detail = new StepDetail
        {
            Name = step.Name, Type = step.Type, Step = invocation.Step, Url = invocation.InvokerUrl, Settings = invocation.Settings,
            Invoked = invoked, InvokedKey = message,
        };
        return new StepDraft(key, payload, (_, now, _) => new Submission(
            new RunStep(key, message, now) { Body = payload, Size = payload.Length, Concurrent = step.Concurrent, Detail = detail }, null));
    }

    /// <summary>Starts the run that a step invokes.</summary>
    public async ValueTask StartAsync(Run invoker, int step, CancellationToken cancellation = default)
    {
        if (await runs.StepAsync(invoker.Key, new StepKey(step, StepKind.Invoke), cancellation) is not { Detail: { Invoked: { } spec } detail } entry)
            return;
        var key = MessageId.Parse(detail.InvokedKey!);
        var start = new RunStart(spec, await runs.BodyAsync(invoker.Key, entry, cancellation)) { Key = key };
        var started = await trigger.StartAsync(start, cancellation);
        // Another run goes by that id, which knows of no invoker.
        if (started.Key != key)
            await AnswerAsync(spec.Invoker!, ResultOf(spec.RunId, RunState.Failed, []), cancellation);
    }

    /// <summary>Tells the run that invoked this one how it ended.</summary>
    public async ValueTask AnswerAsync(Run invoked, CancellationToken cancellation = default)
    {
        var result = await runs.ResultAsync(invoked, cancellation);
        await AnswerAsync(invoked.Spec.Invoker!, ResultOf(invoked.Spec.RunId, invoked.Progress.State, result), cancellation);
    }

    /// <summary>Whether a run that this one invoked is under way; it is told of those that have ended, or are gone.</summary>
    /// <param name="invoker">A run under way.</param>
    /// <param name="steps">Its entries.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async ValueTask<bool> IsUnderWayAsync(Run invoker, IReadOnlyCollection<RunStep> steps, CancellationToken cancellation = default)
    {
        var results = steps.Where(step => step.Key.Kind == StepKind.Result).Select(step => step.Key.Id).ToHashSet();
        var isUnderWay = false;
        foreach (var step in steps.Where(step => step.Key.Kind == StepKind.Invoke && !results.Contains(step.Key.Id)))
        {
            if (step.Detail is not { InvokedKey: { } key, Invoked: { } spec })
                continue;
            isUnderWay = true;
            if (await runs.GetAsync(MessageId.Parse(key), cancellation) is not { } invoked)
                await AnswerAsync(spec.Invoker!, ResultOf(spec.RunId, RunState.Failed, []), cancellation);
            else if (invoked.Ended)
                await AnswerAsync(invoked, cancellation);
        }
        return isUnderWay;
    }

    private async ValueTask AnswerAsync(Invoker invoker, string result, CancellationToken cancellation)
    {
        var key = MessageId.Parse(invoker.Key);
        if (await runs.StepAsync(key, new StepKey(invoker.Step, StepKind.Invoke), cancellation) is not { Detail: { } detail } entry)
            return;
        var settings = PublishSettingsReader.ParseAccepted(detail.Settings!, options);
        var body = StepText.WithResult(detail.Step!, result);
        var request = new RunRequest(new PublishRequest(detail.Url!, settings, body), settings.Workflow);
        try
        {
            await submissions.SubmitAsync(key, StepDraft.Of(request), cancellation);
        }
        catch (QStashException refusal) when (refusal.Status == 412)
        {
            while (await runs.LiveAsync(key, cancellation) is { } run && !await failures.FailAsync(run, refusal.Message, cancellation))
            {
            }
        }
        catch (QStashException)
        {
            // The run is over; whoever looks at it sees how the step ended all the same.
            var step = new RunStep(StepKey.Result(invoker.Step), entry.MessageId, entry.At) { Concurrent = entry.Concurrent, Body = body, Size = body.Length };
            await runs.AddAsync(key, step, cancellation);
        }
    }

    private static string ResultOf(string runId, RunState state, byte[] result)
    {
        var json = new StringifiedJson().StartObject().String("workflowRunId", runId);
        if (state == RunState.Success && result.Length > 0)
            json.String("body", Encoding.UTF8.GetString(result));
        json.Flag("isFailed", state == RunState.Failed).Flag("isCanceled", state == RunState.Canceled).EndObject();
        return Encoding.UTF8.GetString(json.ToArray());
    }
}
