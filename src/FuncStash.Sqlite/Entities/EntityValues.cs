using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace FuncStash.Sqlite.Entities;

/// <summary>The values of a row that was read. So few that looking through them is faster than hashing.</summary>
internal sealed class EntityValues : IReadOnlyDictionary<string, object>
{
    public static readonly object True = true, False = false;

    public static readonly EntityValues None = new([], []);

    private readonly byte[]? _data;

    private Read? _read;

    public EntityValues(string[] names, object[] values) => _read = new Read(names, values);

    /// <summary>The values of a row's bytes, which are not to change. Whoever asks for its version alone need not have them read.</summary>
    public EntityValues(byte[] data) => _data = data;

    public int Count => Known.Names.Length;

    public IEnumerable<string> Keys => Known.Names;

    public IEnumerable<object> Values => Known.Values;

    private Read Known => _read ??= EntityFormat.Read(_data)._read!;

    public object this[string key] =>
        TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"The row has no value '{key}'.");

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object value)
    {
        var (names, values) = Known;
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
        var (names, values) = Known;
        for (var i = 0; i < names.Length; i++)
            yield return new(names[i], values[i]);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private sealed record Read(string[] Names, object[] Values);
}
