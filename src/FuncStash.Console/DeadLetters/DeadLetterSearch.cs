using System.Globalization;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Console.DeadLetters;

/// <summary>Which dead letters a page or an action is about, as it stands in the address or in a form.</summary>
public sealed record DeadLetterSearch
{
    public const int PageSize = 50;

    /// <summary>How many are looked at for a page: what is rare is looked for further on by asking again.</summary>
    public const int MaxLooked = 3_000;

    private static readonly string[] s_names = ["q", "host", "status", "error", "until", "after"];

    /// <summary>A part of an id, a URL, a label or a name.</summary>
    public string Text { get; init; } = "";

    public string? Host { get; init; }

    /// <summary>The status of the last response; 0 for none.</summary>
    public int? Status { get; init; }

    /// <summary>The error of the last attempt, to the letter.</summary>
    public string? Error { get; init; }

    /// <summary>Those that failed until then, in unix milliseconds.</summary>
    public long? Until { get; init; }

    /// <summary>The one after which the page begins.</summary>
    public DlqId? After { get; init; }

    public bool IsNarrowed => Text.Length > 0 || IsGroup;

    public bool IsGroup => Host is not null || Status is not null || Error is not null;

    public static DeadLetterSearch Of(Func<string, string?> value) => new()
    {
        Text = value("q")?.Trim() ?? "",
        Host = value("host"),
        Status = int.TryParse(value("status"), NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : null,
        Error = value("error"),
        Until = long.TryParse(value("until"), NumberStyles.None, CultureInfo.InvariantCulture, out var until) ? until : null,
        After = DlqId.TryParse(value("after"), out var after) ? after : null,
    };

    /// <summary>The same of an address or a form that says nothing else: to ignore a condition would widen what is meant.</summary>
    /// <param name="given">All that it says.</param>
    /// <param name="others">What it may say besides.</param>
    /// <exception cref="QStashException">400 for what is no condition.</exception>
    public static DeadLetterSearch Checked(IEnumerable<KeyValuePair<string, string>> given, params IEnumerable<string> others)
    {
        var conditions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in given.Where(pair => !others.Contains(pair.Key)))
        {
            if (!s_names.Contains(name))
                throw QStashException.BadRequest($"Dead letters cannot be narrowed down by {ShortText.Of(name, 80)}, only by {string.Join(", ", s_names)}. Nothing was done.");
            if (!conditions.TryAdd(name, value))
                throw QStashException.BadRequest($"{name} is given twice, so it is not clear what is meant. Nothing was done.");
        }
        var search = Of(name => conditions.GetValueOrDefault(name) is { Length: > 0 } value ? value : null);
        foreach (var (name, value) in conditions.Where(pair => pair.Key != "q" && search.Parameters.All(parameter => parameter.Name != pair.Key)))
            throw QStashException.BadRequest($"invalid {name}: {ShortText.Of(value, 80)}. Nothing was done.");
        return search;
    }

    /// <summary>The names and values that say the same again.</summary>
    public IEnumerable<(string Name, string Value)> Parameters => new (string Name, string? Value)[]
    {
        ("q", Text), ("host", Host), ("status", Status?.ToString(CultureInfo.InvariantCulture)), ("error", Error),
        ("until", Until?.ToString(CultureInfo.InvariantCulture)), ("after", After?.ToString()),
    }.Where(p => !string.IsNullOrEmpty(p.Value)).Select(p => (p.Name, p.Value!));

    /// <summary>The address of these, below <c>/console/</c>.</summary>
    public string Url => UrlOf("dead-letters");

    /// <param name="path">Another page about the same ones.</param>
    /// <param name="more">What it is told besides.</param>
    public string UrlOf(string path, params (string Name, string Value)[] more)
    {
        var parameters = string.Join('&', Parameters.Concat(more).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value)}"));
        return parameters.Length == 0 ? path : $"{path}?{parameters}";
    }

    public DeadLetterQuery ToQuery(bool latestFirst = true)
    {
        var filter = new MessageFilter();
        if (Text.Length > 0)
            filter.Add("search", [Text]);
        if (Host is { } host)
            filter.Add("host", [host]);
        if (Until is { } until)
            filter.Add("toDate", [until.ToString(CultureInfo.InvariantCulture)]);
        return new DeadLetterQuery
        {
            Filter = filter,
            ResponseStatuses = Status is { } status ? new HashSet<int> { status } : [],
            Error = Error,
            After = After,
            Count = PageSize,
            LatestFirst = latestFirst,
            MaxLooked = MaxLooked,
        };
    }
}
