using System.Text;
using FuncStash.Cli.Verbs;
using FuncStash.Client;

namespace FuncStash.Cli.Moving;

/// <summary>The call that makes a schedule what it is to be.</summary>
internal static class ScheduleCall
{
    public static MessageBody? BodyOf(ScheduleSetup schedule) =>
        schedule.BodyBase64 is { } base64 ? MessageBody.FromBytes(Convert.FromBase64String(base64))
        // As bytes: a content type it has is among its headers, and where there is none, none is made up.
        : schedule.Body is { } text ? MessageBody.FromBytes(Encoding.UTF8.GetBytes(text))
        : null;

    public static ScheduleOptions OptionsOf(ScheduleSetup schedule) => new()
    {
        ScheduleId = schedule.Id, QueueName = schedule.Queue, Method = new HttpMethod(schedule.Method),
        Headers = new Dictionary<string, string>(schedule.Headers ?? [], StringComparer.OrdinalIgnoreCase),
        Retries = schedule.Retries, RetryDelay = schedule.RetryDelay,
        Delay = DurationOf(schedule.Delay), Timeout = DurationOf(schedule.Timeout),
        Callback = Of(schedule.Callback), FailureCallback = Of(schedule.FailureCallback),
        FlowControl = schedule.FlowControl is { } flow ? new(flow.Key) { Parallelism = flow.Parallelism, Rate = flow.Rate, Period = DurationOf(flow.Period) } : null,
        Labels = schedule.Labels,
    };

    private static CallbackOptions? Of(CallbackSetup? callback) => callback is null ? null
        : new(callback.Url) { Headers = new Dictionary<string, string>(callback.Headers ?? [], StringComparer.OrdinalIgnoreCase) };

    private static TimeSpan? DurationOf(string? text) => text is null ? null : Durations.Parse(text);
}
