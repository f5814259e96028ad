using System.Text.Json;
using System.Text.RegularExpressions;
using FuncStash.Access;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.UrlGroups;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>/v2/schedules</c> (protocol#schedules).</summary>
public sealed partial class SchedulesResource(
    Scheduler scheduler, ScheduleStore schedules, LastRun lastRun, UrlGroupStore groups, PageAnswer pages,
    FuncStashOptions options, TimeProvider time) : IResource
{
    private readonly ScheduleStore _schedules = schedules;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/schedules", AccessLevel.Read, ListAsync),
        new("GET", "/v2/schedules/{id}", AccessLevel.Read, GetAsync),
        new("GET", "/v2/schedules/{id}/next", AccessLevel.Read, NextAsync),
        new("DELETE", "/v2/schedules/{id}", AccessLevel.Full, DeleteAsync),
        // The documentation has POST, the SDKs PATCH.
        new("PATCH", "/v2/schedules/{id}/pause", AccessLevel.Full, call => PauseAsync(call, call.Values[0])),
        new("PATCH", "/v2/schedules/{id}/resume", AccessLevel.Full, call => ResumeAsync(call, call.Values[0])),
        new("POST", "/v2/schedules/{destination*}", AccessLevel.Full, PostAsync),
    ];

    // A path that ends in /pause is a pause unless there is a cron expression (protocol#pause-resume-and-delete).
    private Task PostAsync(ApiCall call)
    {
        var match = Action().Match(call.Values[0]);
        if (!match.Success || HasCron(call))
            return CreateAsync(call);
        var id = Uri.UnescapeDataString(match.Groups["id"].Value);
        return match.Groups["action"].Value.ToLowerInvariant() switch
        {
            "pause" => PauseAsync(call, id),
            "resume" => ResumeAsync(call, id),
            _ => RunAsync(call, id),
        };
    }

    private async Task CreateAsync(ApiCall call)
    {
        var request = await RequestReader.ReadAsync(call, call.Values[0], groups, options);
        var id = await scheduler.CreateAsync(request, call.Aborted);
        await PublishResource.AnswerAsync(call, new Accepted.Schedule(id));
    }

    private async Task ListAsync(ApiCall call)
    {
        var listed = await _schedules.ListAsync(call.Aborted);
        await pages.WriteAllAsync(call, listed.Select(IPageEntry (each) => new Line(this, each)).ToAsyncEnumerable());
    }

    private sealed class Line(SchedulesResource resource, ListedSchedule listed) : IPageEntry
    {
        private ScheduleAnswer? _answer;

        public string Cursor => "";

        public int Weight => listed.BodySize;

        public async ValueTask<bool> LoadAsync(CancellationToken cancellation)
        {
            if (await resource._schedules.GetAsync(listed.Id, cancellation) is { } schedule)
                _answer = await resource.AnswerAsync(schedule, cancellation);
            return _answer is not null;
        }

        public void Write(Utf8JsonWriter json) => _answer!.Write(json);
    }

    private async Task GetAsync(ApiCall call)
    {
        var id = Checked(call.Values[0]);
        var schedule = await _schedules.GetAsync(id, call.Aborted) ?? throw NotFound(id);
        var answer = await AnswerAsync(schedule, call.Aborted);
        await call.JsonAsync(200, answer.Write);
    }

    private async Task DeleteAsync(ApiCall call)
    {
        var id = Checked(call.Values[0]);
        if (!await scheduler.DeleteAsync(id, call.Aborted))
            throw NotFound(id);
        await call.OkAsync();
    }

    private async Task PauseAsync(ApiCall call, string id)
    {
        if (!await scheduler.PauseAsync(Checked(id), call.Aborted))
            throw NotFound(id);
        await call.OkAsync();
    }

    private async Task ResumeAsync(ApiCall call, string id)
    {
        if (!await scheduler.ResumeAsync(Checked(id), call.Aborted))
            throw NotFound(id);
        await call.OkAsync();
    }

    // Not part of QStash.
    private async Task RunAsync(ApiCall call, string id)
    {
        var result = await scheduler.RunAsync(Checked(id), call.CallerIp, cancellation: call.Aborted) ?? throw NotFound(id);
        await PublishResource.AnswerAsync(call, new Accepted.Messages(result));
    }

    // Not part of QStash.
    private async Task NextAsync(ApiCall call)
    {
        var id = Checked(call.Values[0]);
        var schedule = await _schedules.LookAsync(id, call.Aborted) ?? throw NotFound(id);
        var times = schedule.Times.NextAfter(time.GetUtcNow().ToUnixTimeMilliseconds(), new ListParameters(call.Target).Count(5, 100));
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteString("timeZone", schedule.Times.Zone.Id);
            json.WriteStartArray("times");
            foreach (var at in times)
                json.WriteNumberValue(at);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private async ValueTask<ScheduleAnswer> AnswerAsync(Schedule schedule, CancellationToken cancellation) =>
        new(schedule, await _schedules.BodyAsync(schedule, cancellation) ?? [], await lastRun.StatesAsync(schedule, cancellation));

    private static bool HasCron(ApiCall call) =>
        call.Request.Headers.ContainsKey("Upstash-Cron")
        || call.Target.Parameters.Any(p => p.Key.Equals("upstash-cron", StringComparison.OrdinalIgnoreCase));

    // What cannot be an id is one that no schedule has.
    private static string Checked(string id) => ResourceName.IsValid(id)
        ? id
        : throw QStashException.BadRequest($"invalid schedule id: {id}: it is {ResourceName.Rule}");

    private static QStashException NotFound(string id) => QStashException.NotFound($"schedule {id} not found");

    [GeneratedRegex(@"^(?<id>[^/?]+)/(?<action>pause|resume|run)/?(\?|$)", RegexOptions.IgnoreCase)]
    private static partial Regex Action();
}
