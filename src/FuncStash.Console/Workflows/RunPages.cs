using FuncStash.Access;
using FuncStash.Console.Parts;
using FuncStash.Console.Serving;
using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.RunLogs;
using FuncStash.Runs;
using FuncStash.Wire;
using FuncStash.Workflows;

namespace FuncStash.Console.Workflows;

/// <summary>The workflow runs: how far each is, and its end or how it goes on.</summary>
internal sealed class RunPages(
    RunReader reader, RunViewer viewer, RunStore runs, RunEnds ends, RunContinuation continuation, RunLetters letters) : IPages
{
    private const int PageSize = 50;

    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/workflows", AccessLevel.Read, ListAsync),
        new("GET", "/workflows/{id}", AccessLevel.Read, ShowAsync),
        new("POST", "/workflows/{id}/cancel", AccessLevel.Full, CancelAsync),
        new("POST", "/workflows/{id}/resume", AccessLevel.Full, call => ContinueAsync(call, continuation.ResumeAsync)),
        new("POST", "/workflows/{id}/restart", AccessLevel.Full, call => ContinueAsync(call, continuation.RestartAsync)),
    ];

    private async Task<PageResult> ListAsync(ConsoleCall call)
    {
        var search = RunSearch.Of(call.Query);
        // What is searched for is a run, or the workflows whose URL begins like this.
        var page = await reader.ListAsync(search.ToQuery(PageSize), call.Aborted);
        return new PageResult.View("Workflow runs", typeof(RunListPage), new RunListModel(search, page));
    }

    private async Task<PageResult> ShowAsync(ConsoleCall call)
    {
        var run = await FindAsync(call);
        var view = await viewer.ViewAsync(run, call.Aborted);
        var redact = run.Spec.Redaction;
        var payload = await runs.StepAsync(run.Key, StepKey.Initial, call.Aborted) is { } initial
            ? await runs.BodyAsync(run.Key, initial, call.Aborted) : [];
        var result = run.Progress.State == RunState.Success ? await runs.ResultAsync(run, call.Aborted) : [];
        var all = call.Query("body") == "all";
        return new PageResult.View(run.Spec.RunId, typeof(RunDetailPage), new RunDetailModel(
            view, await StepsAsync(view, redact, call.Query("step"), call.Aborted), Shown(payload), Shown(result),
            redact is null ? run.Spec.Header : run.Spec.Header.Select(redact.Header), await LetterAsync(run, call.Aborted), call.Query("done")));

        Payload Shown(byte[] body) => redact is { Body: true } && body.Length > 0 ? Payload.Redacted(body) : Payload.Of(body, all);
    }

    private async ValueTask<IReadOnlyList<RunStepView>> StepsAsync(RunView view, RedactFields? redact, string? whole, CancellationToken cancellation)
    {
        var steps = new List<RunStepView>();
        foreach (var group in view.Groups)
        {
            foreach (var slot in group.Slots)
            {
                // One after the other: what is kept of each is what is shown of it.
                var text = slot.Result is { } result && redact is not { Body: true } ? await runs.BodyAsync(view.Run.Key, result, cancellation) : [];
                var delivery = slot.MessageId is { } id ? view.Deliveries.GetValueOrDefault(id) : null;
                steps.Add(RunStepView.Of(slot, group.Kind, view.StateOf(slot), text, delivery, redact, isWhole: whole is not null && whole == Text.Plain(slot.Id)));
            }
        }
        return steps;
    }

    // A run that was resumed or restarted has none any more.
    private async ValueTask<DlqId?> LetterAsync(Run run, CancellationToken cancellation) =>
        run.Progress is { DlqId: { } text, IsLetterGone: false } && DlqId.TryParse(text, out var id) && await letters.GetAsync(id, cancellation) is not null ? id : null;

    private async Task<PageResult> CancelAsync(ConsoleCall call)
    {
        var run = await FindAsync(call);
        var done = await ends.CancelAsync(run.Key, call.Aborted);
        return new PageResult.Redirect($"{UrlOf(run)}&done={(done ? "run-cancelled" : "run-ended")}");
    }

    private async Task<PageResult> ContinueAsync(
        ConsoleCall call, Func<DlqId, PublishSettings, CancellationToken, ValueTask<(string RunId, MessageId Key)?>> continues)
    {
        var run = await FindAsync(call);
        if (run.Progress.State != RunState.Failed)
            throw QStashException.BadRequest("It did not fail, so there is nothing to resume or restart.");
        // The first click of two took its dead letter.
        if (await LetterAsync(run, call.Aborted) is not { } letter
            || await continues(letter, new PublishSettings(), call.Aborted) is not { } started)
            return new PageResult.Redirect(UrlOf(run) + "&done=continued");
        return new PageResult.Redirect($"workflows/{Uri.EscapeDataString(started.RunId)}?key={started.Key.Text}&done=started");
    }

    // Runs one after the other may have the same id: the key tells them apart, else the latest is meant.
    private async ValueTask<Run> FindAsync(ConsoleCall call)
    {
        var named = call.Query("key") ?? call.Field("key");
        await foreach (var run in reader.FindAsync(RunSearch.Named(call.Values[0]), call.Aborted))
        {
            // A text with commas stands for several ids, too.
            if (run.Spec.RunId == call.Values[0] && (named is null || run.Key.Text == named))
                return run;
        }
        throw QStashException.NotFound("There is no workflow run of this id, or it ended longer ago than runs are kept.");
    }

    /// <summary>The page of a run, below <c>/console/</c>.</summary>
    public static string UrlOf(Run run) => $"workflows/{Uri.EscapeDataString(run.Spec.RunId)}?key={run.Key.Text}";
}
