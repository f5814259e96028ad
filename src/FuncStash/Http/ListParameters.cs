using System.Globalization;
using FuncStash.Messages;

namespace FuncStash.Http;

/// <summary>The query parameters of a list or a bulk call; an unknown one is refused, since ignoring a filter widens the call.</summary>
internal sealed class ListParameters
{
    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    /// <param name="target">The request target.</param>
    /// <param name="others">Parameters the resource reads itself, besides the message filters.</param>
    /// <exception cref="QStashException">400 for an unknown parameter.</exception>
    public ListParameters(RequestTarget target, params ReadOnlySpan<string> others)
    {
        foreach (var (name, value) in target.Parameters)
        {
            if (name is "qstash_token" or "api" || value.Length == 0)
                continue;
            if (name is not ("cursor" or "count" or "order") && !others.Contains(name) && !MessageFilter.IsField(name))
                throw QStashException.BadRequest($"unknown parameter: {name}");
            if (!_values.TryGetValue(name, out var list))
                _values[name] = list = [];
            list.Add(value);
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

    public IReadOnlyList<string> Values(string name) => _values.TryGetValue(name, out var list) ? list : [];

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
}
