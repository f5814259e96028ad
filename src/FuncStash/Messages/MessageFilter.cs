using System.Collections.Frozen;
using System.Globalization;
using FuncStash.Wire;

namespace FuncStash.Messages;

/// <summary>Which messages a list, a bulk cancel or a bulk delete is about (protocol#filters).</summary>
/// <remarks>Values of one name are alternatives; different names must all match.</remarks>
public sealed class MessageFilter
{
    // Not part of QStash: texts of which one must be contained in one of the fields, in whatever case.
    private const string Search = "search";

    private static readonly FrozenDictionary<string, Func<Message, IEnumerable<string?>>> s_fields =
        new Dictionary<string, Func<Message, IEnumerable<string?>>>(StringComparer.Ordinal)
        {
            ["url"] = m => [m.Url],
            ["topicName"] = m => [m.TopicName],
            ["queueName"] = m => [m.QueueName],
            ["scheduleId"] = m => [m.ScheduleId],
            ["flowControlKey"] = m => [m.FlowControl?.Key],
            ["callerIp"] = m => [m.CallerIp],
            ["callerIP"] = m => [m.CallerIp],
            ["label"] = m => m.Labels ?? [],
            ["host"] = m => HostsOf(m.Url),
            ["path"] = m => PathsOf(m.Url),
            ["messageId"] = m => [m.Id.Text],
            ["workflowRunId"] = m => [m.Run?.RunId],
            ["workflowCreatedAt"] = m => [m.Run?.Run.CreatedAt.ToString(CultureInfo.InvariantCulture)],
            ["api"] = m => m.Api is null ? [] : [m.Api, "llm"],
            [Search] = m => [m.Id.Text, m.Url, m.QueueName, m.ScheduleId, m.FlowControl?.Key, m.TopicName, m.EndpointName, .. m.Labels ?? []],
        }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly List<Func<Message, bool>> _conditions = [];

    /// <summary>Inclusive bounds in unix milliseconds, of what depends on the list.</summary>
    public long? FromDate { get; private set; }

    public long? ToDate { get; private set; }

    /// <summary>True when <see cref="Matches"/> asks for more than that there is a message.</summary>
    public bool HasConditions => _conditions.Count > 0;

    /// <summary>The names of all conditions.</summary>
    internal static IEnumerable<string> Names => s_fields.Keys.Append("fromDate").Append("toDate");

    public static bool IsField(string name) => s_fields.ContainsKey(name) || name is "fromDate" or "toDate";

    /// <summary>Adds a condition.</summary>
    /// <exception cref="QStashException">400 for a date that is no number.</exception>
    public void Add(string name, IReadOnlyList<string> values)
    {
        if (name == "fromDate")
            FromDate = ReadDate(name, values[^1]);
        else if (name == "toDate")
            ToDate = ReadDate(name, values[^1]);
        else
            _conditions.Add(Condition(name, values));
    }

    private static Func<Message, bool> Condition(string name, IReadOnlyList<string> values)
    {
        var field = s_fields[name];
        if (name == Search)
            return message => field(message).Any(value => values.Any(part => value?.Contains(part, StringComparison.OrdinalIgnoreCase) == true));
        var alternatives = Alternatives(values);
        return message => field(message).Any(value => value is not null && alternatives.Contains(value));
    }

    public bool Matches(Message message)
    {
        foreach (var condition in _conditions)
        {
            if (!condition(message))
                return false;
        }
        return true;
    }

    public bool IsWithin(long time) => time >= (FromDate ?? long.MinValue) && time <= (ToDate ?? long.MaxValue);

    /// <summary>The values given: repeated or comma-separated; a value with a comma in it also stands for itself.</summary>
    public static FrozenSet<string> Alternatives(IEnumerable<string> values) => values
        .SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Append(value))
        .ToFrozenSet(StringComparer.Ordinal);

    internal static long ReadDate(string name, string value) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var ms)
            ? ms
            : throw QStashException.BadRequest($"invalid {name}: {value}: must be a unix time in milliseconds");

    // As the publisher wrote them, and as they are normally written (RFC 3986 §6.2.2).
    internal static IEnumerable<string?> HostsOf(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
            ? [uri.Host, uri.Authority, $"{uri.Host}:{uri.Port}", url[WrittenUrl.Authority(url)..WrittenUrl.Path(url)]]
            : [];

    internal static IEnumerable<string?> PathsOf(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
            ? [uri.AbsolutePath, url[WrittenUrl.Path(url)..WrittenUrl.Query(url)]]
            : [];
}
