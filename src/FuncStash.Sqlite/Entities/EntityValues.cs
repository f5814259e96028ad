using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace FuncStash.Sqlite.Entities;

/// <summary>The values of a row that was read. So few that looking through them is faster than hashing.</summary>
internal sealed class EntityValues(string[] names, object[] values) : IReadOnlyDictionary<string, object>
{
    public static readonly object True = true, False = false;

    public static readonly EntityValues None = new([], []);

    public int Count => names.Length;

    public IEnumerable<string> Keys => names;

    public IEnumerable<object> Values => values;

    public object this[string key] =>
        TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"The row has no value '{key}'.");

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object value)
    {
        for (var i = 0; i < names.Length; i++)
            if (string.Equals(names[i], key, StringComparison.Ordinal))
            {
                value = values[i];
                return true;
            }

        value = null;
        return false;
    }

    public IEnumerator<KeyValuePair<string, object>> GetEnumerator()
    {
        for (var i = 0; i < names.Length; i++)
            yield return new(names[i], values[i]);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
