using FuncStash.Access;
using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.RunLogs;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary><c>/v2/workflows/dlq</c>: dead letters of runs (protocol#run-dead-letters).</summary>
public sealed class RunDlqResource(
    RunLetters letters, DeadLetterStore store, RunContinuation continuation, PublishCheck check, PageAnswer pages, FuncStashOptions options) : IResource
{
    private const int MaxListed = 100, MaxContinued = 50, SideBySide = 8;

    private static readonly string[] s_own =
        [.. RunFilter.Names, "fromDate", "toDate", "dlqIds", "source", "responseStatus"];

    private static readonly string[] s_none = [.. MessageFilter.Names.Except(s_own)];

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/workflows/dlq", AccessLevel.Read, ListAsync),
        new("DELETE", "/v2/workflows/dlq", AccessLevel.Full, DeleteManyAsync),
        new("POST", "/v2/workflows/dlq/resume", AccessLevel.Full, call => ContinueManyAsync(call, continuation.ResumeAsync)),
        new("POST", "/v2/workflows/dlq/restart", AccessLevel.Full, call => ContinueManyAsync(call, continuation.RestartAsync)),
        new("POST", "/v2/workflows/dlq/resume/{id}", AccessLevel.Full, call => ContinueAsync(call, continuation.ResumeAsync)),
        new("POST", "/v2/workflows/dlq/restart/{id}", AccessLevel.Full, call => ContinueAsync(call, continuation.RestartAsync)),
        new("POST", "/v2/workflows/dlq/callback/{id}", AccessLevel.Full, call => CallBackAsync(call, letters.RetryFailureAsync)),
        new("DELETE", "/v2/workflows/dlq/callback/{id}", AccessLevel.Full, call => CallBackAsync(call, letters.CancelFailureAsync)),
        new("GET", "/v2/workflows/dlq/{id}", AccessLevel.Read, GetAsync),
        new("DELETE", "/v2/workflows/dlq/{id}", AccessLevel.Full, DeleteAsync),
    ];

    private delegate ValueTask<(string RunId, MessageId Key)?> Continuation(DlqId id, PublishSettings changes, CancellationToken cancellation);

    /// <summary>Answers with a list of letters.</summary>
    internal async Task ListAsync(ApiCall call)
    {
        var parameters = new ListParameters(
            call.Target.Parameters.Where(p => p.Value.Length > 0 && p.Key != "api").Select(p => (p.Key, (string[])[p.Value])), s_own, s_none);
        var query = QueryOf(parameters, MaxListed);
        var found = letters.ReadAsync(query, RunParameters.FilterOf(parameters, isPrefix: false), call.Aborted);
        await pages.WriteAsync(call, ["messages"], found.Select(IPageEntry (letter) => new RunDlqAnswer(letter, letters, options.Workflows)), query.Count);
    }

    /// <summary>Deletes what a bulk call is about.</summary>
    internal async Task DeleteManyAsync(ApiCall call)
    {
        var page = await BulkAsync(call, MaxListed, MaxListed);
        var deleted = 0;
        foreach (var some in page.Letters.Chunk(SideBySide))
            deleted += (await Task.WhenAll(some.Select(letter => letters.RemoveAsync(letter.Letter.Id, call.Aborted).AsTask()))).Count(done => done);
        await DlqAnswer.DeletedAsync(call, deleted, page.Next);
    }

    private async ValueTask<RunLetterPage> BulkAsync(ApiCall call, int byDefault, int most)
    {
        var parameters = new ListParameters(await ListParameters.OfBulkAsync(call), s_own, s_none);
        var query = QueryOf(parameters, byDefault);
        return await letters.ListAsync(query with { Count = Math.Min(query.Count, most) }, RunParameters.FilterOf(parameters, isPrefix: false), call.Aborted);
    }

    /// <summary>Answers with one letter.</summary>
    internal async Task GetAsync(ApiCall call)
    {
        var answer = new RunDlqAnswer(await FindAsync(call), letters, options.Workflows);
        if (!await answer.LoadAsync(call.Aborted))
            throw DlqAnswer.NotFound(call);
        await call.JsonAsync(200, answer.Write);
    }

    private async Task DeleteAsync(ApiCall call)
    {
        if (!await letters.RemoveAsync((await FindAsync(call)).Letter.Id, call.Aborted))
            throw DlqAnswer.NotFound(call);
        await call.OkAsync();
    }

    private async Task ContinueAsync(ApiCall call, Continuation continues)
    {
        var changes = await ChangesAsync(call);
        var letter = await FindAsync(call);
        var (runId, key) = await continues(letter.Letter.Id, changes, call.Aborted) ?? throw DlqAnswer.NotFound(call);
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            RunAnswer.WriteRun(json, runId, key.CreatedAt);
            json.WriteEndObject();
        });
    }

    private async Task ContinueManyAsync(ApiCall call, Continuation continues)
    {
        var changes = await ChangesAsync(call);
        var parameters = new ListParameters(await ListParameters.OfBulkAsync(call), s_own, s_none);
        var query = QueryOf(parameters, MaxContinued);
        if (query.Ids is { Count: > MaxContinued })
            throw QStashException.BadRequest($"too many dlqIds: at most {MaxContinued} at once");
        var filter = RunParameters.FilterOf(parameters, isPrefix: false);
        var page = await letters.ListAsync(query with { Count = Math.Min(query.Count, MaxContinued) }, filter, call.Aborted);
        if (query.Ids is { } ids && page.Letters.Count < ids.Count)
            throw QStashException.NotFound("some messages were not found");
        var started = new List<(string RunId, MessageId Key)>();
        foreach (var some in page.Letters.Chunk(SideBySide))
        {
            var results = await Task.WhenAll(some.Select(letter => continues(letter.Letter.Id, changes, call.Aborted).AsTask()));
            started.AddRange(results.OfType<(string, MessageId)>());
        }
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("workflowRuns");
            foreach (var (runId, key) in started)
            {
                json.WriteStartObject();
                RunAnswer.WriteRun(json, runId, key.CreatedAt);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteIf("cursor", page.Next);
            json.WriteEndObject();
        });
    }

    private async Task CallBackAsync(ApiCall call, Func<RunLetter, CancellationToken, ValueTask> act)
    {
        var letter = await FindAsync(call);
        await act(letter, call.Aborted);
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            RunAnswer.WriteRun(json, letter.Run.Spec.RunId, letter.Run.CreatedAt);
            json.WriteEndObject();
        });
    }

    private async ValueTask<RunLetter> FindAsync(ApiCall call)
    {
        if (!DlqId.TryParse(call.Values[0], out var id))
            throw DlqAnswer.NotFound(call);
        if (await letters.GetAsync(id, call.Aborted) is { } letter)
            return letter;
        throw id.IsOfRun || await store.GetAsync(id, call.Aborted) is null
            ? DlqAnswer.NotFound(call)
            : QStashException.BadRequest($"dlq message {call.Values[0]} is not of a workflow run");
    }

    private static DeadLetterQuery QueryOf(ListParameters parameters, int byDefault) => new()
    {
        Count = parameters.Count(byDefault, MaxListed),
        LatestFirst = !parameters.EarliestFirst(byDefault: true),
        ResponseStatuses = DlqParameters.StatusesOf(parameters.Ids("responseStatus")),
        Ids = DlqParameters.IdsOf(parameters),
        After = DlqParameters.AfterOf(parameters),
    };

    private ValueTask<PublishSettings> ChangesAsync(ApiCall call) =>
        DlqParameters.ChangesAsync(call, check, options, "a run goes on once, it cannot become a schedule");
}
