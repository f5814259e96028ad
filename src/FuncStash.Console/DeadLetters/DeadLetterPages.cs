using System.Globalization;
using FuncStash.Access;
using FuncStash.Console.Parts;
using FuncStash.Console.Serving;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Console.DeadLetters;

/// <summary>The dead letters: what failed alike, each of them, and what can be done about one, some or all.</summary>
internal sealed class DeadLetterPages(
    DeadLetterReader reader, DeadLetterStore letters, DeadLetterGroups groups, DeadLetterExport export, BulkAction bulk, RetryChanges changes, TimeProvider time) : IPages
{
    // So many are counted before an action, and looked at for it.
    private const int MaxCounted = 10_000, MaxLooked = 20_000;

    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/dead-letters", AccessLevel.Read, ListAsync),
        new("GET", "/dead-letters/all", AccessLevel.Full, AskAsync),
        new("POST", "/dead-letters/all", AccessLevel.Full, RunAllAsync),
        new("POST", "/dead-letters/some", AccessLevel.Full, RunSomeAsync),
        new("GET", "/dead-letters/export", AccessLevel.Read, call => Task.FromResult<PageResult>(Export(call))),
        new("GET", "/dead-letters/{id}", AccessLevel.Read, ShowAsync),
    ];

    private async Task<PageResult> ListAsync(ConsoleCall call)
    {
        var search = DeadLetterSearch.Checked(call.Call.Target.Parameters, "done", "count", "gone");
        var page = await reader.ListAsync(search.ToQuery(), call.Aborted);
        var (alike, isPart) = search.IsGroup || search.After is not null ? ([], false) : await groups.ReadAsync(search.ToQuery(), call.Aborted);
        return new PageResult.View("Dead letters", typeof(DeadLetterListPage), new DeadLetterListModel(search, page, alike, isPart, DoneText(call)));
    }

    // Those that fail while the question stands, or because of its answer, are not meant.
    private async Task<PageResult> AskAsync(ConsoleCall call) => await QuestionAsync(
        ActionOf(call.Query("do")),
        DeadLetterSearch.Checked(call.Call.Target.Parameters, "do") with { After = null, Until = time.GetUtcNow().ToUnixTimeMilliseconds() }, null, call.Aborted);

    private async ValueTask<PageResult.View> QuestionAsync(
        DeadLetterAction action, DeadLetterSearch search, RefusedChanges? refused, CancellationToken cancellation)
    {
        var (count, isMore) = await reader.CountAsync(
            search.ToQuery(latestFirst: false) with { Count = MaxCounted, MaxLooked = MaxLooked }, cancellation);
        return new PageResult.View("Dead letters", typeof(QuestionPage), new QuestionModel(
            action, search, count, isMore, refused)) { Status = refused?.Status ?? 200 };
    }

    private PageResult.Stream Export(ConsoleCall call) => new(
        "application/x-ndjson", "dead-letters.jsonl",
        export.LinesAsync((DeadLetterSearch.Checked(call.Call.Target.Parameters) with { After = null }).ToQuery(latestFirst: false), call.Aborted));

    private async Task<PageResult> RunAllAsync(ConsoleCall call)
    {
        // Also what stands in the address, where no form of the console has anything.
        var given = call.Form.SelectMany(field => field.Value.Select(value => KeyValuePair.Create(field.Key, value ?? ""))).Concat(call.Call.Target.Parameters);
        var search = DeadLetterSearch.Checked(given, ["do", .. RetryChanges.Names]);
        if (search.Until is null)
            throw QStashException.BadRequest("It is not said until when.");
        var action = ActionOf(call.Field("do"));
        var (settings, refused) = await changes.ReadAsync(call);
        if (refused is not null)
            return await QuestionAsync(action, search, refused, call.Aborted);
        return new PageResult.Running(
            new PageResult.View("Dead letters", typeof(RunPage), new RunModel(action, search)), typeof(RunStep),
            bulk.RunAsync(action, search.ToQuery(latestFirst: false), settings, call.Aborted));
    }

    private async Task<PageResult> RunSomeAsync(ConsoleCall call)
    {
        var action = ActionOf(call.Field("do"));
        var ids = call.Fields("id").Where(text => DlqId.TryParse(text, out _)).Select(DlqId.Parse).Distinct().ToList();
        var back = DeadLetterSearch.Of(call.Field);
        if (ids.Count == 0)
            return new PageResult.Redirect(back.UrlOf("dead-letters", ("done", "none")));
        var (settings, refused) = await changes.ReadAsync(call);
        // Only the page of a single one has fields for changes.
        if (refused is not null)
            return ids.Count == 1 ? await LetterAsync(call, ids[0], refused) : throw new QStashException(refused.Status, refused.Refusal.Text);
        BulkProgress? end = null;
        await foreach (var progress in bulk.RunAsync(action, ids.ToAsyncEnumerable(), settings, call.Aborted))
            end = progress;
        // What failed, and why, is told where it can be nobody else's text: not in an address.
        if (end!.Failed > 0)
        {
            return new PageResult.Running(
                new PageResult.View("Dead letters", typeof(RunPage), new RunModel(action, back)), typeof(RunStep), new object[] { end }.ToAsyncEnumerable());
        }
        return new PageResult.Redirect((back with { After = null }).UrlOf(
            "dead-letters", ("done", action == DeadLetterAction.Retry ? "retried" : "deleted"), ("count", Text.Plain(end.Done)), ("gone", Text.Plain(end.Gone))));
    }

    private static string? DoneText(ConsoleCall call)
    {
        var count = NumberOf("count") is { } many ? Words.Count(many, "dead letter") : null;
        var gone = NumberOf("gone") is > 0 and var others
            ? $" {Text.Number(others)} {(others == 1 ? "was" : "were")} gone already: sent again or deleted by another click." : "";
        return call.Query("done") switch
        {
            "none" => "Nothing was chosen.",
            "retried" when count is not null => $"{count} sent again.{gone}",
            "deleted" when count is not null => $"{count} deleted.{gone}",
            _ => null,
        };

        int? NumberOf(string name) => int.TryParse(call.Query(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private async Task<PageResult> ShowAsync(ConsoleCall call) =>
        DlqId.TryParse(call.Values[0], out var id) ? await LetterAsync(call, id, null) : throw Gone();

    private async ValueTask<PageResult> LetterAsync(ConsoleCall call, DlqId id, RefusedChanges? refused)
    {
        // Those of workflow runs are on the pages of their runs.
        if (id.IsOfRun || await letters.GetAsync(id, call.Aborted) is not { } letter)
            throw Gone();
        var redact = letter.Message.Redact is { } text && RedactFields.TryParse(text, out var fields, out _) ? fields : null;
        var body = await letters.BodyAsync(letter, call.Aborted);
        return new PageResult.View(id.ToString(), typeof(LetterPage), new DeadLetterModel(
            letter,
            redact is null ? letter.Message.Header : letter.Message.Header.Select(redact.Header),
            redact is { Body: true } ? Payload.Redacted(body) : Payload.Of(body, all: call.Query("body") == "all"),
            Payload.Of(letter.ResponseBody), refused)) { Status = refused?.Status ?? 200 };
    }

    private static QStashException Gone() =>
        QStashException.NotFound("There is no such dead letter: it was sent again or deleted, or failed longer ago than they are kept.");

    private static DeadLetterAction ActionOf(string? text) => text switch
    {
        "retry" => DeadLetterAction.Retry,
        "delete" => DeadLetterAction.Delete,
        _ => throw QStashException.BadRequest("It is not said what is to be done."),
    };
}
