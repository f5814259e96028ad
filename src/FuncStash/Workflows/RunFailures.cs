using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>Lets runs fail: the end of the run and the call of its failure function are one commit with what it failed of.</summary>
public sealed class RunFailures(RunStore runs, RunHistory history, FuncStashOptions options, TimeProvider time)
{
    /// <summary>The step of a delivery that failed for good, with the failure of its run; null when the run is over.</summary>
    /// <param name="key">The run's key.</param>
    /// <param name="report">How it failed.</param>
    /// <param name="step">The step of the message alone.</param>
    /// <param name="hasFunction">False to call no failure function.</param>
    public async ValueTask<Transition?> FailingAsync(MessageId key, Report report, Transition step, bool hasFunction = true)
    {
        if (await runs.LiveAsync(key) is not { } run)
            return null;
        var (change, message) = await ChangeAsync(run, report, report.Message.Id.Text, null, hasFunction);
        return step with
        {
            With = RunStore.WritesOf(run, change),
            Followers = message is null ? [] : [message],
            Sends = RunStore.SendsOf(change),
        };
    }

    /// <summary>Lets a run fail of something other than a delivery, such as a limit.</summary>
    /// <returns>False when the run has changed since it was read.</returns>
    public async ValueTask<bool> FailAsync(Run run, string reason, CancellationToken cancellation = default)
    {
        var (change, message) = await ChangeAsync(run, ReportOf(run, reason), null, reason, hasFunction: true);
        return await runs.CommitAsync(run, change with { Messages = message is null ? [] : [message] }, cancellation: cancellation) is null;
    }

    /// <summary>What is told of a run that failed of something other than a delivery.</summary>
    public static Report ReportOf(Run run, string reason)
    {
        var body = new StringifiedJson().StartObject().String("error", "WorkflowError").String("message", reason).EndObject().ToArray();
        var header = new HeaderMap();
        header.Set("Content-Type", "application/json");
        var message = RunMessages.Configured(run, run.Key) with { Run = RunMessages.PartOf(run, RunRole.Step, StepKey.Initial) };
        return new Report(message, new AttemptOutcome.Response(412, header, body), 0, reason);
    }

    private async ValueTask<(RunChange Change, Message? Message)> ChangeAsync(
        Run run, Report report, string? message, string? reason, bool hasFunction)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var dlqId = DlqId.OfRun(now).ToString();
        if (!hasFunction || CallbackOf(run, report.Message) is not { } callback)
            return (RunRules.Fail(run, message, reason, dlqId, null, now), null);
        var call = await CallAsync(run, report, callback, dlqId, run.Key.Follower("failure|0", now));
        return (RunRules.Fail(run, message, reason, dlqId, new FailureFunction(call.Id.Text, callback.Url, FailureState.InProgress), now), call);
    }

    /// <summary>The call of the failure function made anew from the dead letter, once the first is no longer kept.</summary>
    public ValueTask<Message> CallAsync(Run run, DeadLetter letter, MessageId id)
    {
        var outcome = letter.ResponseStatus > 0 ? (AttemptOutcome)letter.Response : new AttemptOutcome.NoResponse(letter.Error ?? "");
        var callback = CallbackOf(run, letter.Message) ?? new CallbackSettings(run.Progress.Failure!.Url, HeaderMap.Empty);
        return CallAsync(run, new Report(letter.Message, outcome, letter.Message.MaxRetries, letter.Error), callback, letter.Id.ToString(), id);
    }

    private async ValueTask<Message> CallAsync(Run run, Report report, CallbackSettings callback, string dlqId, MessageId id)
    {
        var source = RunReports.WantsPayload(callback) ? await PayloadAsync(run) : await history.WholeAsync(run, CancellationToken.None);
        return RunReports.OfFailure(run, id, callback, report.ToBody(run, source, dlqId), options);
    }

    private async ValueTask<byte[]> PayloadAsync(Run run) =>
        await runs.StepAsync(run.Key, StepKey.Initial) is { } initial ? await runs.BodyAsync(run.Key, initial) : [];

    // An SDK whose steps bring their own settings names the failure function with each of them.
    private static CallbackSettings? CallbackOf(Run run, Message message) =>
        message.FailureCallback
        ?? (run.Spec.Features.TriggerOnConfig || message.Run!.Step == StepKey.Initial.ToString() ? run.Spec.FailureCallback : null);
}
