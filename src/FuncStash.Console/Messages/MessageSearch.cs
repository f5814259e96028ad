using System.Collections.Frozen;
using System.Globalization;
using FuncStash.Logs;
using FuncStash.Messages;

namespace FuncStash.Console.Messages;

/// <summary>What the list of messages is asked for, as it stands in its address.</summary>
public sealed record MessageSearch
{
    /// <summary>How many messages a page has.</summary>
    public const int PageSize = 50;

    /// <summary>How many events are looked at for a page: what is rare is looked for further on by asking again.</summary>
    public const int MaxLooked = 3_000;

    /// <summary>Fields of a message that a value in the list can be narrowed down to.</summary>
    public static readonly IReadOnlyList<(string Name, string Label)> Fields =
    [
        ("label", "label"), ("host", "host"), ("queueName", "queue"), ("scheduleId", "schedule"),
        ("flowControlKey", "flow-control key"), ("topicName", "URL group"), ("url", "URL"),
    ];

    public static readonly IReadOnlyList<(string Value, string Name, MessageState[] States)> Groups =
    [
        ("", "All", []),
        ("waiting", "Waiting", [MessageState.Created]),
        ("active", "In flight", [MessageState.Active]),
        ("retrying", "Retrying", [MessageState.Retry, MessageState.Error]),
        ("delivered", "Delivered", [MessageState.Delivered]),
        ("failed", "Failed", [MessageState.Failed]),
        ("cancelled", "Cancelled", [MessageState.Canceled, MessageState.CancelRequested]),
    ];

    public static readonly IReadOnlyList<(string Value, string Name, TimeSpan? Span)> Spans =
    [
        ("15m", "15 min", TimeSpan.FromMinutes(15)), ("1h", "1 h", TimeSpan.FromHours(1)), ("24h", "24 h", TimeSpan.FromHours(24)), ("", "All", null),
    ];

    /// <summary>A part of an id, a URL, a label or a name.</summary>
    public string Text { get; init; } = "";

    /// <summary>Which states, by the value in <see cref="Groups"/>.</summary>
    public string State { get; init; } = "";

    /// <summary>Since when, by the value in <see cref="Spans"/>.</summary>
    public string Since { get; init; } = "";

    /// <summary>Exact values of <see cref="Fields"/>.</summary>
    public IReadOnlyList<(string Name, string Value)> Facets { get; init; } = [];

    /// <summary>The position after which the page begins; null for the latest.</summary>
    public string? After { get; init; }

    public bool IsNarrowed => Text.Length > 0 || State.Length > 0 || Since.Length > 0 || Facets.Count > 0;

    public static MessageSearch Of(Func<string, string?> query) => new()
    {
        Text = query("q")?.Trim() ?? "",
        State = Groups.Select(group => group.Value).FirstOrDefault(value => value == query("state")) ?? "",
        Since = Spans.Select(span => span.Value).FirstOrDefault(value => value == query("since")) ?? "",
        Facets = [.. Fields.Select(field => (field.Name, Value: query(field.Name))).Where(f => f.Value is not null).Select(f => (f.Name, f.Value!))],
        After = query("after") is { } after && LogPosition.IsValid(after) ? after : null,
    };

    /// <summary>The same with one exact value more, from the latest on.</summary>
    public MessageSearch With(string name, string value) =>
        this with { After = null, Facets = [.. Facets.Where(facet => facet.Name != name), (name, value)] };

    public MessageSearch Without(string name) => this with { After = null, Facets = [.. Facets.Where(facet => facet.Name != name)] };

    /// <summary>The address, below <c>/console/</c>.</summary>
    public string Url
    {
        get
        {
            (string Name, string? Value)[] all = [("q", Text), ("state", State), ("since", Since), .. Facets.Select(f => (f.Name, (string?)f.Value)), ("after", After)];
            var parameters = string.Join('&', all.Where(p => !string.IsNullOrEmpty(p.Value)).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"));
            return parameters.Length == 0 ? "messages" : "messages?" + parameters;
        }
    }

    /// <summary>What the log is asked for.</summary>
    /// <param name="now">Unix milliseconds.</param>
    public LogQuery ToQuery(long now)
    {
        var filter = new MessageFilter();
        foreach (var (name, value) in Facets)
            filter.Add(name, [value]);
        if (Text.Length > 0)
            filter.Add("search", [Text]);
        if (Spans.First(span => span.Value == Since).Span is { } span)
            filter.Add("fromDate", [(now - (long)span.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)]);
        return new LogQuery
        {
            Filter = filter,
            States = Groups.First(group => group.Value == State).States.ToFrozenSet(),
            After = After,
            Count = PageSize,
            LatestOnly = true,
            MaxLooked = MaxLooked,
        };
    }
}
