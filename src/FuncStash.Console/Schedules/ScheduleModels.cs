using FuncStash.Console.Parts;
using FuncStash.Logs;
using FuncStash.Schedules;
using FuncStash.Wire;

namespace FuncStash.Console.Schedules;

/// <param name="Search">What was asked for.</param>
/// <param name="Page">The schedules, without their payloads.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
public sealed record ScheduleListModel(ListSearch Search, ListPart<Schedule> Page, string? Done);

/// <param name="Schedule">The schedule.</param>
/// <param name="Settings">The settings of its messages, as headers.</param>
/// <param name="Header">The headers that they send on, redacted where they are to be.</param>
/// <param name="Body">Their payload.</param>
/// <param name="Next">Its next times, in unix milliseconds.</param>
/// <param name="LastStates">What became of the messages of its latest occurrence, by id.</param>
/// <param name="Recent">Its latest messages.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
public sealed record ScheduleModel(
    Schedule Schedule, IReadOnlyList<(string Name, string Value)> Settings, HeaderMap Header, Payload Body, IReadOnlyList<long> Next,
    IReadOnlyList<KeyValuePair<string, string>> LastStates, LogPage Recent, string? Done);
