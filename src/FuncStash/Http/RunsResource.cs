using System.Text;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.Messages;
using FuncStash.RunLogs;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary><c>/v2/workflows/runs</c>: the history of a run for its endpoint, and the end of runs (protocol#end-of-a-run).</summary>
public sealed class RunsResource(
    RunEnds ends, RunReader reader, RunStore runs, RunIndex index, MessageStore messages, FuncStashOptions options) : IResource
{
    private const int SideBySide = 16;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/workflows/runs/{id}", AccessLevel.Read, HistoryAsync),
        new("DELETE", "/v2/workflows/runs/{id}", AccessLevel.Full, EndAsync),
        new("DELETE", "/v2/workflows/runs", AccessLevel.Full, CancelManyAsync),
    ];

    // An endpoint that was sent no body fetches all there is, and cuts it itself.
    private async Task HistoryAsync(ApiCall call)
    {
        var id = call.Values[0];
        if (await index.FindAsync(id, fresh: true, call.Aborted) is not { } key || await runs.LiveAsync(key, call.Aborted) is null)
            throw RunRules.NotFound(id);
        var steps = await runs.AllStepsAsync(key, call.Aborted);
        var results = steps.Where(step => step.Key.Kind == StepKind.CallResult).ToLookup(step => step.Key.Id);
        await JsonStream.AnswerAsync(call, async stream =>
        {
            stream.Json.WriteStartArray();
            foreach (var step in steps.Where(step => step.Position is not null).OrderBy(step => step.Position))
            {
                if (step.Key.Kind != StepKind.Call)
                {
                    await WriteAsync(stream, step.MessageId, "step", await runs.BodyAsync(key, step, call.Aborted));
                    continue;
                }
                await WriteAsync(stream, step.MessageId, "toCallback", await BodyOfAsync(step.MessageId, call.Aborted));
                foreach (var result in results[step.Key.Id])
                    await WriteAsync(stream, result.MessageId, "fromCallback", await BodyOfAsync(result.MessageId, call.Aborted));
            }
            stream.Json.WriteEndArray();
        });
    }

    private static async ValueTask WriteAsync(JsonStream stream, string message, string callType, byte[] body)
    {
        stream.Json.WriteStartObject();
        stream.Json.WriteString("messageId", message);
        stream.Json.WriteBase64String("body", body);
        stream.Json.WriteString("callType", callType);
        stream.Json.WriteEndObject();
        await stream.DrainAsync();
    }

    private async ValueTask<byte[]> BodyOfAsync(string message, CancellationToken cancellation) =>
        await messages.GetAsync(MessageId.Parse(message), cancellation) is { } stored ? await messages.BodyAsync(stored.Message, cancellation) : [];

    private async Task EndAsync(ApiCall call)
    {
        var id = call.Values[0];
        if (bool.TryParse(call.Target["cancel"], out var cancels) && !cancels)
            await ends.FinishAsync(id, await call.BodyAsync(options.Workflows.MaxRequestBytes), call.Aborted);
        else if (!await ends.CancelAsync(id, call.Aborted) && !await IsCanceledAsync(id, call.Aborted))
            throw RunRules.NotFound(id);
        await call.OkAsync();
    }

    // Asked for twice it is done as well.
    private async ValueTask<bool> IsCanceledAsync(string id, CancellationToken cancellation) =>
        await index.FindAsync(id, cancellation: cancellation) is { } key
        && await runs.GetAsync(key, cancellation) is { Progress.State: RunState.Canceled };

    private async Task CancelManyAsync(ApiCall call)
    {
        var parameters = await RunParameters.OfBulkAsync(call);
        var cancelled = parameters.Has("workflowRunIds")
            ? await CancelAsync(parameters.Ids("workflowRunIds"), call.Aborted)
            : await CancelAsync(RunParameters.ToCancel(parameters), call.Aborted);
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("cancelled", cancelled);
            json.WriteEndObject();
        });
    }

    private async ValueTask<int> CancelAsync(IEnumerable<string> ids, CancellationToken cancellation)
    {
        var cancelled = 0;
        foreach (var some in ids.Chunk(SideBySide))
            cancelled += (await Task.WhenAll(some.Select(id => ends.CancelAsync(id, cancellation).AsTask()))).Count(done => done);
        return cancelled;
    }

    // Only what was really cancelled counts; one that ended meanwhile leaves room for another.
    private async ValueTask<int> CancelAsync(RunQuery query, CancellationToken cancellation)
    {
        var cancelled = 0;
        var some = new List<MessageId>(SideBySide);
        await foreach (var run in reader.FindAsync(query, cancellation))
        {
            some.Add(run.Key);
            if (some.Count < Math.Min(SideBySide, query.Count - cancelled))
                continue;
            cancelled += await CancelAsync(some, cancellation);
            some.Clear();
            if (cancelled >= query.Count)
                return cancelled;
        }
        return cancelled + await CancelAsync(some, cancellation);
    }

    private async ValueTask<int> CancelAsync(IReadOnlyList<MessageId> keys, CancellationToken cancellation) =>
        (await Task.WhenAll(keys.Select(key => ends.CancelAsync(key, cancellation).AsTask()))).Count(done => done);
}
