using System.Globalization;
using System.Text;

namespace FuncStash.Client;

/// <summary>The query of a call: a list of values repeats its key, and what is null is left out.</summary>
internal sealed class QueryText
{
    private readonly StringBuilder _text = new();

    public QueryText Add(string key, string? value)
    {
        if (value is not null)
            _text.Append(_text.Length == 0 ? '?' : '&').Append(key).Append('=').Append(Uri.EscapeDataString(value));
        return this;
    }

    public QueryText Add(string key, int? value) => Add(key, value?.ToString(CultureInfo.InvariantCulture));

    /// <summary>A time as unix milliseconds.</summary>
    public QueryText Add(string key, DateTimeOffset? value) =>
        Add(key, value?.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));

    /// <exception cref="ArgumentException">The list is there but empty: it would match everything instead of nothing.</exception>
    public QueryText Add(string key, IReadOnlyList<string>? values)
    {
        if (values is null)
            return this;
        if (values.Count == 0)
            throw new ArgumentException($"The list {key} is empty: leave it null to match everything.", nameof(values));
        foreach (var value in values)
        {
            ArgumentException.ThrowIfNullOrEmpty(value, key);
            Add(key, value);
        }

        return this;
    }

    /// <summary>With its question mark; empty when there is nothing in it.</summary>
    public override string ToString() => _text.ToString();
}
