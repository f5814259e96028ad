using System.Globalization;
using FuncStash.Access;
using FuncStash.RunLogs;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>/v2/workflows/events</c> and <c>/v2/workflows/logs</c>: what became of runs (protocol#run-logs).</summary>
public sealed class RunLogResource(RunReader reader, RunViewer viewer, RunStore runs, Messages.MessageStore messages) : IResource
{
    private readonly RunLogAnswer _answer = new(runs, messages);

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/workflows/events", AccessLevel.Read, call => ListAsync(call, groupedByDefault: false)),
        new("GET", "/v2/workflows/logs", AccessLevel.Read, call => ListAsync(call, groupedByDefault: true)),
    ];

    private async Task ListAsync(ApiCall call, bool groupedByDefault)
    {
        var parameters = RunParameters.OfList(call);
        var isGrouped = parameters.Values("groupBy") switch
        {
            [] => groupedByDefault,
            ["workflowRunId", ..] => true,
            [var other, ..] => throw QStashException.BadRequest($"invalid groupBy: {other}: must be workflowRunId"),
        };
        var trim = parameters.Values("trimBody") switch
        {
            [] => (int?)null,
            [var text, ..] when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var bytes) => bytes,
            [var text, ..] => throw QStashException.BadRequest($"invalid trimBody: {text}: must be a number of bytes"),
        };
        var query = await RunParameters.QueryAsync(parameters, reader, call.Aborted);
        var page = await reader.ListAsync(query, call.Aborted);
        await JsonStream.AnswerAsync(call, async stream =>
        {
            var json = stream.Json;
            json.WriteStartObject();
            json.WriteStartArray(isGrouped ? "runs" : "events");
            foreach (var run in page.Runs)
            {
                var view = await viewer.ViewAsync(run, call.Aborted);
                if (isGrouped)
                    await _answer.WriteAsync(stream, view, trim, call.Aborted);
                else
                    RunEventsAnswer.Write(json, view);
                await stream.DrainAsync();
            }
            json.WriteEndArray();
            json.WriteIf("cursor", page.Next);
            json.WriteEndObject();
        });
    }
}
