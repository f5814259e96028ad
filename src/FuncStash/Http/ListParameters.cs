using System.Globalization;
using System.Text.Json;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>The parameters of a list or a bulk call; an unknown one is refused, since ignoring a filter widens the call.</summary>
internal sealed class ListParameters
{
    private const int MaxBodyBytes = 4 * 1024 * 1024;

    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    /// <summary>Reads the parameters of a list; those without a value and the legacy <c>api</c> are ignored.</summary>
    /// <param name="target">The request target.</param>
    /// <param name="others">Parameters the resource reads itself, besides the message filters.</param>
    /// <exception cref="QStashException">400 for an unknown parameter.</exception>
    public ListParameters(RequestTarget target, params ReadOnlySpan<string> others)
        : this(target.Parameters.Where(p => p.Value.Length > 0 && p.Key != "api").Select(p => (p.Key, (string[])[p.Value])), others, [])
    {
    }

    /// <param name="parameters">Names with their values; a name may stand several times.</param>
    /// <param name="others">Parameters the resource reads itself, besides the message filters.</param>
    /// <param name="without">Parameters that the resource does not know.</param>
    /// <exception cref="QStashException">400 for an unknown parameter or an empty filter.</exception>
    public ListParameters(
        IEnumerable<(string Name, string[] Values)> parameters, ReadOnlySpan<string> others, ReadOnlySpan<string> without)
    {
        foreach (var (name, values) in parameters)
        {
            if (name == "qstash_token")
                continue;
            var own = others.Contains(name);
            if (without.Contains(name) || !(own || name is "cursor" or "count" or "order" || MessageFilter.IsField(name)))
                throw QStashException.BadRequest($"unknown parameter: {name}");
            // Where a list may be empty, it is so by having no values; one of blanks would name everything as well.
            if (Array.Exists(values, own ? IsBlankList : string.IsNullOrEmpty) || (values.Length == 0 && !own))
                throw QStashException.BadRequest($"invalid {name}: it has no value");
            if (!_values.TryGetValue(name, out var list))
                _values[name] = list = [];
            list.AddRange(values);
        }
        Filter = new MessageFilter();
        foreach (var (name, values) in _values)
        {
            if (MessageFilter.IsField(name) && !others.Contains(name))
                Filter.Add(name, values);
        }
    }

    public MessageFilter Filter { get; }

    public string? Cursor => Values("cursor") is [var cursor, ..] ? cursor : null;

    public bool Has(string name) => _values.ContainsKey(name);

    public IReadOnlyList<string> Values(string name) => _values.TryGetValue(name, out var list) ? list : [];

    /// <summary>The values of a list of ids, repeated or comma-separated, each once.</summary>
    public IReadOnlyList<string> Ids(string name) => [.. Values(name)
        .SelectMany(v => v.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).Distinct()];

    /// <summary>How many; more than <paramref name="max"/> means <paramref name="max"/>.</summary>
    public int Count(int byDefault, int max)
    {
        if (Values("count") is not [var text, ..])
            return byDefault;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? Math.Min(count, max)
            : throw QStashException.BadRequest($"invalid count: {text}: must be a number from 1 to {max}");
    }

    public bool EarliestFirst(bool byDefault) => Values("order") switch
    {
        [] => byDefault,
        ["earliestFirst", ..] => true,
        ["latestFirst", ..] => false,
        [var other, ..] => throw QStashException.BadRequest($"invalid order: {other}: must be earliestFirst or latestFirst"),
    };

    /// <summary>What a bulk call names in its query (JavaScript) and in its body, a JSON object (Python, Go).</summary>
    public static async ValueTask<IReadOnlyList<(string Name, string[] Values)>> OfBulkAsync(ApiCall call)
    {
        var parameters = call.Target.Parameters.Select(p => (p.Key, (string[])[p.Value])).ToList();
        var body = await call.BodyAsync(MaxBodyBytes);
        if (body.AsSpan().Trim(" \t\r\n"u8).IsEmpty)
            return parameters;
        using var document = JsonBody.Parse(body, JsonValueKind.Object);
        foreach (var (name, value) in document.RootElement.Properties())
        {
            if (value.ValueKind != JsonValueKind.Null)
                parameters.Add((name, Values(name, value)));
        }
        return parameters;
    }

    private static bool IsBlankList(string value) => value.All(each => each == ',' || char.IsWhiteSpace(each));

    private static string[] Values(string name, JsonElement value) => value.ValueKind == JsonValueKind.Array
        ? [.. value.EnumerateArray().Select(item => Value(name, item))]
        : [Value(name, value)];

    private static string Value(string name, JsonElement item) => item.ValueKind switch
    {
        JsonValueKind.String => JsonBody.Unescaped(item, name),
        JsonValueKind.Number => item.GetRawText(),
        _ => throw QStashException.BadRequest($"invalid {name}: must be a text, a number or an array of them"),
    };
}
