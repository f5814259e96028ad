using FuncStash.Delivery;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>The runs' side of deliveries.</summary>
public sealed class RunDeliveries(
    RunStore runs, RunTurns turns, RunHistory history, RunFailures failures, RunDebts debts, RunAdmission admission, WaiterIndex waiters,
    MessageStore messages, FuncStashOptions options, TimeProvider time) : IRunDeliveries
{
    public ValueTask SettleAsync(MessageId run, CancellationToken cancellation) => debts.SettleAsync(run, cancellation);

    public async ValueTask RouseAsync(MessageId run, CancellationToken cancellation)
    {
        await admission.AcceptAllAgainAsync(run, cancellation);
        await debts.SettleAsync(run, cancellation);
    }

    public RunDelivery Failing(StoredMessage stored, bool hasCallbacks) =>
        stored.Message.Run!.Role == RunRole.Failure
            ? new FailureDelivery(runs, stored, messages, options)
            : new FailedDelivery(stored, failures, debts, hasCallbacks);

    public async ValueTask<RunDelivery?> FindAsync(StoredMessage stored, CancellationToken cancellation)
    {
        var part = stored.Message.Run!;
        var run = await runs.GetAsync(part.Run, cancellation);
        if (part.Role == RunRole.Failure)
        {
            return run?.Progress.Failure is { State: FailureState.InProgress } failure && failure.MessageId == stored.Id.Text
                ? new FailureDelivery(runs, stored, messages, options)
                : null;
        }
        // A delivery that came to the run's end has done what it was for, though its answer was lost.
        if (run is { Progress.State: RunState.Success } && part.Role == RunRole.Step)
            return new NeedlessDelivery(debts, part.Run);
        if (run is null or { Ended: true })
            return null;
        switch (part.Role)
        {
            case RunRole.Call:
                return new CallDelivery(run, stored, messages, options, time);
            case RunRole.CallResult:
                return new CallResultDelivery(runs, run, stored, failures, debts, messages, options);
            default:
                var joined = stored.Message.NotBefore > stored.Message.CreatedAt ? await JoinAsync(run, stored, cancellation) : run;
                return joined is null ? null : new StepDelivery(history, joined, stored, runs, failures, debts, options);
        }
    }

    // What slept has its place in the history from the moment on at which it is due, and a wait ends at its deadline.
    private async ValueTask<Run?> JoinAsync(Run run, StoredMessage stored, CancellationToken cancellation)
    {
        var key = StepKey.Parse(stored.Message.Run!.Step);
        if (await runs.StepAsync(run.Key, key, cancellation) is { Position: not null })
            return run;
        using (await turns.EnterAsync(run.Key, cancellation))
        {
            while (await runs.LiveAsync(run.Key, cancellation) is { } now)
            {
                var step = await runs.StepAsync(run.Key, key, cancellation);
                if (step is { Position: not null })
                    return now;
                if (await ChangeAsync(now, step, key, stored, cancellation) is not { } change)
                    return null;
                if (await runs.CommitAsync(now, change, cancellation: cancellation) is not null)
                    continue;
                foreach (var wait in now.Progress.Waits.Where(wait => wait.Step == key.Id))
                    await waiters.RemoveAsync(wait.Event, run.Key, wait.Step, CancellationToken.None);
                return change.After with { ETag = null };
            }
        }
        return null;
    }

    private async ValueTask<RunChange?> ChangeAsync(Run run, RunStep? step, StepKey key, StoredMessage stored, CancellationToken cancellation)
    {
        if (step is not null)
            return RunRules.Join(run, step);
        var entry = await runs.StepAsync(run.Key, new StepKey(key.Id, StepKind.Wait), cancellation);
        if (entry?.MessageId != stored.Id.Text || run.Progress.Waits.FirstOrDefault(w => w.Step == key.Id) is not { } wait)
            return null;
        var body = EventStep.TimedOut(entry.Detail!.Step!, wait.Event);
        var result = new RunStep(key, stored.Id.Text, time.GetUtcNow().ToUnixTimeMilliseconds())
        {
            Concurrent = entry.Concurrent, Body = body, Size = body.Length,
        };
        // A run at its limits can still come to know that nothing came.
        return RunRules.Resolve(run, wait, result, options.Workflows with { MaxSteps = int.MaxValue, MaxHistoryBytes = long.MaxValue });
    }
}

/// <summary>Nothing is left to be sent: the run has come to its end, and whoever was to settle what it owes may have died.</summary>
internal sealed class NeedlessDelivery(RunDebts debts, MessageId run) : RunDelivery
{
    public override int ResponseBytes => 0;

    public override ValueTask<(Message Message, byte[] Body)?> RequestAsync(CancellationToken cancellation) => default;

    public override ValueTask<Verdict> JudgeAsync(AttemptOutcome outcome, Verdict verdict, CancellationToken cancellation) => new(verdict);

    public override ValueTask<Transition> SettleAsync(StoredMessage stored, AttemptOutcome outcome, Verdict verdict, Transition step) => new(step);

    public override ValueTask SettledAsync() => debts.SettleAsync(run, CancellationToken.None);
}

/// <summary>A delivery to the workflow's endpoint, of which the run fails when it fails for good.</summary>
internal abstract class EndpointDelivery(Run run, RunFailures failures, RunDebts debts, FuncStashOptions options) : RunDelivery
{
    private bool _hasFailed;

    protected Run Run => run;

    public override int ResponseBytes => options.Workflows.MaxPayloadBytes;

    public override async ValueTask<Transition> SettleAsync(StoredMessage before, AttemptOutcome outcome, Verdict verdict, Transition step)
    {
        if (verdict is not Verdict.Failed failed)
            return step;
        var report = new Report(before.Message, outcome, before.Progress.Retried, failed.Error);
        if (await failures.FailingAsync(run.Key, report, step) is not { } whole)
            return step;
        _hasFailed = true;
        return whole;
    }

    public override ValueTask SettledAsync() => _hasFailed ? debts.SettleAsync(run.Key, CancellationToken.None) : ValueTask.CompletedTask;
}

/// <summary>Brings a step to the workflow's endpoint.</summary>
internal sealed class StepDelivery(
    RunHistory history, Run run, StoredMessage stored, RunStore runs, RunFailures failures, RunDebts debts, FuncStashOptions options)
    : EndpointDelivery(run, failures, debts, options)
{
    // Long enough for what was accepted to have been sent on its way by whoever accepted it, if it is alive.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private bool _isDone;

    private StepKey Key => StepKey.Parse(stored.Message.Run!.Step);

    public override async ValueTask<(Message Message, byte[] Body)?> RequestAsync(CancellationToken cancellation)
    {
        if (await history.ReadAsync(Run, Key, stored.Id, cancellation) is not { } delivered)
        {
            _isDone = true;
            return null;
        }
        var message = stored.Message with { Header = DeliveredHeaders.Of(Run, stored.Message, Key == StepKey.Initial) };
        if (delivered.IsFetched)
            message.Header.Set("Content-Type", "application/json");
        return (message, delivered.Body);
    }

    public override async ValueTask<Verdict> JudgeAsync(AttemptOutcome outcome, Verdict verdict, CancellationToken cancellation)
    {
        if (verdict is Verdict.Delivered)
            return Key == StepKey.Initial && Detection.Refusal(Run.Spec, (AttemptOutcome.Response)outcome) is { } refusal ? new Verdict.Failed(refusal) : verdict;
        // What follows from it was submitted; only the answer was lost, or came too late.
        _isDone = await IsDoneAsync(cancellation);
        return _isDone ? new Verdict.Delivered() : verdict;
    }

    // Whoever accepted what follows may have died before that was on its way, and this delivery is all that tells.
    public override ValueTask<Transition> SettleAsync(StoredMessage before, AttemptOutcome outcome, Verdict verdict, Transition step) =>
        _isDone ? new(step with { Sends = [.. step.Sends, new WorkItem.RouseRun(Run.Key).ToSend(s_patience)] })
        : base.SettleAsync(before, outcome, verdict, step);

    private async ValueTask<bool> IsDoneAsync(CancellationToken cancellation)
    {
        if (await runs.GetAsync(Run.Key, cancellation) is { Progress.State: RunState.Success })
            return true;
        var steps = new List<RunStep>();
        await foreach (var step in runs.StepsAsync(Run.Key, cancellation))
            steps.Add(step with { Body = [] });
        return steps.Find(step => step.Key == Key) is { } own && HistoryRules.IsDone(steps, own);
    }
}

/// <summary>The headers by which an endpoint knows which run it works for (protocol#run-deliveries).</summary>
internal static class DeliveredHeaders
{
    public static HeaderMap Of(Run run, Message message, bool isFirst)
    {
        var header = new HeaderMap();
        foreach (var (name, values) in message.Header)
            header.Set(name, values);
        header.Set("Upstash-Workflow-RunId", HeaderValue.Of(run.Spec.RunId));
        header.Set("Upstash-Workflow-CreatedAt", run.CreatedAt.ToString(System.Globalization.CultureInfo.InvariantCulture));
        header.Set("Upstash-Workflow-Url", HeaderValue.Of(run.Spec.Url));
        header.Set("Upstash-Workflow-Init", isFirst ? "true" : "false");
        if (run.Spec.Labels is { } labels)
            header.Set(RunHeaders.LabelName, HeaderValue.Of(string.Join(',', labels)));
        return header;
    }
}

/// <summary>Whether the first delivery of a run was answered by a workflow (protocol#run-deliveries).</summary>
internal static class Detection
{
    private const string NoWorkflow =
        "detected a non-workflow destination for trigger/invoke. make sure you are sending the request to the correct endpoint";
    private const string TooOld = "trigger rest api is only usable with sdk versions after v1.0.0 major version";

    /// <summary>Why a 2xx answer is none of a workflow; null when it is one, or the SDK is too old to tell.</summary>
    public static string? Refusal(RunSpec spec, AttemptOutcome.Response answer)
    {
        if (!spec.Features.DetectTrigger)
            return null;
        if (!answer.Header.Contains(RunHeaders.SdkVersionName))
            return NoWorkflow;
        return spec.IsPlainTrigger && !IsNew(answer.Header["Upstash-Workflow-Sdk"]?[0]) ? TooOld : null;
    }

    // "v1.3.2"
    private static bool IsNew(string? version) =>
        version is ['v', ..] && int.TryParse(version.AsSpan(1).ToString().Split('.')[0], out var major) && major >= 1;
}
