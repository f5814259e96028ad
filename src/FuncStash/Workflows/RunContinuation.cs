using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>Starts a new run in the place of one that failed: from its beginning, or from where it failed (protocol#run-dead-letters).</summary>
/// <remarks>
/// The dead letter's row first says under which key; then the run is stored, once; then the letter goes. So what is asked
/// for twice, or anew after a crash, makes one run.
/// </remarks>
public sealed class RunContinuation(
    RunStore runs, RunIndex index, RunTrigger trigger, RunLetters ofRuns, DeadLetterStore letters, MessageStore messages, RunAdmission admission,
    MessageIds ids, FuncStashOptions options, TimeProvider time)
{
    // Not those of the runs: whoever has its turn here starts another run.
    private readonly RunTurns _turns = new();

    /// <summary>Starts the run anew, with the payload it had. Null when there is no such letter.</summary>
    public ValueTask<(string RunId, MessageId Key)?> RestartAsync(DlqId id, PublishSettings changes, CancellationToken cancellation = default) =>
        BeginAsync(id, changes, isRestart: true, async (old, spec, key) =>
        {
            var payload = await runs.StepAsync(old.Key, StepKey.Initial, cancellation) is { } initial
                ? await runs.BodyAsync(old.Key, initial, cancellation)
                : [];
            await trigger.StartAsync(new RunStart(spec, payload, changes.DueAt) { Key = key }, cancellation);
            return true;
        }, cancellation);

    /// <summary>Lets the run go on at the step of which it failed. Null when there is no such letter.</summary>
    /// <returns>The new run; its deliveries are a debt of it.</returns>
    public ValueTask<(string RunId, MessageId Key)?> ResumeAsync(DlqId id, PublishSettings changes, CancellationToken cancellation = default) =>
        BeginAsync(id, changes, isRestart: false, async (old, spec, key) =>
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var dueAt = changes.DueAt(now);
            return await CopyAsync(id, old, spec, key, dueAt > now ? dueAt : null, cancellation);
        }, cancellation);

    private async ValueTask<(string RunId, MessageId Key)?> BeginAsync(
        DlqId id, PublishSettings changes, bool isRestart, Func<Run, RunSpec, MessageId, Task<bool>> begin, CancellationToken cancellation)
    {
        changes.CheckDue(time.GetUtcNow().ToUnixTimeMilliseconds(), options);
        if (await ofRuns.GetAsync(id, cancellation) is not { } asked)
            return null;
        RunTrigger.CheckSize(Changed(asked.Run.Spec, changes), 413);
        using var turn = await _turns.EnterAsync(asked.Run.Key, cancellation);
        while (await ofRuns.GetAsync(id, cancellation) is { } found)
        {
            var (letter, old) = found;
            var key = letter.RetryId ?? ids.Next().OfRun();
            // A run is stored with its first step: steps without one are what a resume copied before it was cut off.
            if (isRestart && await runs.GetAsync(key, cancellation) is null && await runs.StepAsync(key, StepKey.Initial, cancellation) is not null)
                (key, letter) = (ids.Next().OfRun(), letter with { RetryId = null });
            if (letter.RetryId is null && !await letters.BeginRetryAsync(letter, key, cancellation))
                continue;
            var spec = Changed(old.Spec, changes) with { RunId = IdOf(key), Invoker = null };
            try
            {
                if (!await begin(old, spec, key))
                    continue;
            }
            catch (InvalidDataException)
            {
                throw QStashException.NotFound($"what the run of dead letter {id} had is no longer kept");
            }
            await DeliverAsync(key, cancellation);
            await ofRuns.RemoveAsync(id, cancellation);
            return (spec.RunId, key);
        }
        return null;
    }

    // The same however often it is asked for.
    private static string IdOf(MessageId key) => "wfr_" + key.Text[(key.Text.IndexOf('_', StringComparison.Ordinal) + 1)..];

    private static RunSpec Changed(RunSpec spec, PublishSettings changes) => spec with
    {
        MaxRetries = changes.Retries ?? spec.MaxRetries,
        RetryDelay = changes.RetryDelay ?? spec.RetryDelay,
        FlowControl = changes.FlowControl ?? spec.FlowControl,
        Labels = changes.Labels ?? spec.Labels,
        FailureCallback = changes.FailureCallback ?? spec.FailureCallback,
    };

    // False when somebody has restarted the run under another key meanwhile.
    private async Task<bool> CopyAsync(DlqId id, Run old, RunSpec spec, MessageId key, long? dueAt, CancellationToken cancellation)
    {
        var steps = ResumeRules.Kept(await runs.AllStepsAsync(old.Key, cancellation));
        var redelivered = ResumeRules.Redelivered(steps);
        if (await runs.GetAsync(key, cancellation) is null)
        {
            await index.ReserveAsync(spec.RunId, key, cancellation);
            foreach (var step in steps)
                await CopyAsync(old.Key, key, step, redelivered.Contains(step), cancellation);
            if ((await letters.LookAsync(id, cancellation))?.RetryId != key)
                return false;
            var progress = new RunProgress
            {
                Entries = steps.Max(step => step.Position ?? 0) + 1, Steps = old.Progress.Steps, Bytes = old.Progress.Bytes, HookBase = old.Progress.HookBase,
                Replaced = old.Progress.Replaced, Open = redelivered.Count(step => step.Position is null),
            };
            var debt = new Debt(DebtKind.Deliver, Deliveries: [.. redelivered.Select(step => new Redelivery(step.Key.ToString(), step.MessageId))])
            {
                NotBefore = dueAt,
            };
            await runs.CommitAsync(null, new RunChange(new Run(key, spec, progress, null)) { Debts = [debt] }, cancellation: cancellation);
        }
        return true;
    }

    // One after the other: together they may be more than a commit holds. One that is there may have gone on already.
    private async ValueTask CopyAsync(MessageId from, MessageId to, RunStep step, bool isRedelivered, CancellationToken cancellation)
    {
        if (await runs.StepAsync(to, step.Key, cancellation) is not null)
            return;
        var body = step.Key.Kind is StepKind.Call or StepKind.CallResult ? [] : await runs.BodyAsync(from, step, cancellation);
        await runs.AddAsync(
            to, step with { Body = body, BodyName = null, ETag = null, MessageId = isRedelivered ? IdOf(to, step.Key).Text : step.MessageId },
            cancellation);
    }

    private static MessageId IdOf(MessageId key, StepKey step) => step == StepKey.Initial ? key : key.Follower(step.ToString(), key.CreatedAt);

    private async ValueTask DeliverAsync(MessageId key, CancellationToken cancellation)
    {
        foreach (var debt in await runs.DebtsAsync(key, cancellation))
        {
            if (debt.Kind != DebtKind.Deliver || await runs.GetAsync(key, cancellation) is not { } run)
                continue;
            await DeliverAsync(run, debt, cancellation);
            await runs.SettledAsync(key, debt, cancellation);
        }
    }

    /// <summary>Makes the deliveries that a resumed run goes on with.</summary>
    public async ValueTask DeliverAsync(Run run, Debt debt, CancellationToken cancellation = default)
    {
        foreach (var (text, source) in debt.Deliveries ?? [])
        {
            if (run.Ended)
                return;
            var key = StepKey.Parse(text);
            if (await runs.StepAsync(run.Key, key, cancellation) is not { } step)
                continue;
            var id = MessageId.Parse(step.MessageId);
            // What slept has its place in the history when it is delivered, also where that is late (RunDeliveries).
            var dueAt = Math.Max(debt.NotBefore ?? 0, step.Position is null ? Math.Max(step.DueAt ?? 0, id.CreatedAt + 1) : id.CreatedAt);
            var message = await MessageAsync(run, key, id, source, cancellation) with { NotBefore = dueAt };
            var isNew = await messages.CreateAsync([new NewMessage(message, Once: true, Scheduled: !admission.JoinsAtOnce(message))], cancellation);
            if (isNew[0])
                await admission.AcceptAsync([message]);
            else
                await admission.AcceptAgainAsync(id, cancellation);
        }
    }

    // An SDK whose steps bring their own settings gave them to the message; any other's lie with the run.
    private async ValueTask<Message> MessageAsync(Run run, StepKey key, MessageId id, string source, CancellationToken cancellation)
    {
        var message = RunMessages.Configured(run, id) with { Run = RunMessages.PartOf(run, RunRole.Step, key) };
        if (run.Spec.Features.TriggerOnConfig || await messages.GetAsync(MessageId.Parse(source), cancellation) is not { } old)
            return message;
        return old.Message with
        {
            Id = id, Run = message.Run, MaxRetries = run.Spec.MaxRetries, FlowControl = run.Spec.FlowControl ?? old.Message.FlowControl,
        };
    }
}
