using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FuncStash.Wire;

/// <summary>
/// Headers in the order given, each name with its values (<see cref="HeaderValue"/>); names compare without regard to case.
/// </summary>
[JsonConverter(typeof(HeaderMapConverter))]
public sealed class HeaderMap : IEnumerable<KeyValuePair<string, string[]>>
{
    public static readonly HeaderMap Empty = new();

    // Looking through so many is faster than hashing.
    private const int Few = 16;

    private readonly List<KeyValuePair<string, string[]>> _items = [];
    private Dictionary<string, int>? _index;

    public int Count => _items.Count;

    public string[]? this[string name]
    {
        get
        {
            var index = IndexOf(name);
            return index < 0 ? null : _items[index].Value;
        }
    }

    /// <summary>Adds values to those the name has.</summary>
    public void Add(string name, params string[] values)
    {
        var index = IndexOf(name);
        if (index < 0)
            _items.Add(new(name, values));
        else
            _items[index] = new(_items[index].Key, [.. _items[index].Value, .. values]);
    }

    /// <summary>Puts these values in the place of those the name has.</summary>
    public void Set(string name, params string[] values)
    {
        var index = IndexOf(name);
        if (index < 0)
            _items.Add(new(name, values));
        else
            _items[index] = new(name, values);
    }

    /// <summary>A copy with one more header.</summary>
    public HeaderMap With(string name, params string[] values)
    {
        var copy = new HeaderMap();
        copy._items.AddRange(_items);
        copy.Add(name, values);
        return copy;
    }

    /// <summary>A copy in which the name has these values, in the place of those it had.</summary>
    public HeaderMap WithSet(string name, params string[] values)
    {
        var copy = new HeaderMap();
        copy._items.AddRange(_items);
        copy.Set(name, values);
        return copy;
    }

    /// <summary>These and, of the names that they do not have, others.</summary>
    public HeaderMap Or(HeaderMap weaker)
    {
        var header = this;
        foreach (var (name, values) in weaker)
        {
            if (!Contains(name))
                header = header.With(name, values);
        }
        return header;
    }

    /// <summary>A copy without a name.</summary>
    public HeaderMap Without(string name)
    {
        var copy = new HeaderMap();
        copy._items.AddRange(_items.Where(item => !string.Equals(item.Key, name, StringComparison.OrdinalIgnoreCase)));
        return copy;
    }

    public bool Contains(string name) => IndexOf(name) >= 0;

    /// <summary>The same names, each value passed through <paramref name="map"/>.</summary>
    public HeaderMap Select(Func<string, string, string> map)
    {
        var result = new HeaderMap();
        foreach (var (name, values) in _items)
            result._items.Add(new(name, Array.ConvertAll(values, value => map(name, value))));
        return result;
    }

    /// <summary>Writes them as an object of arrays, each value as people read it.</summary>
    public void WriteText(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var (name, values) in _items)
        {
            json.WriteStartArray(name);
            foreach (var value in values)
                json.WriteStringValue(HeaderValue.ToText(value));
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    public IEnumerator<KeyValuePair<string, string[]>> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int IndexOf(string name)
    {
        if (_items.Count > Few)
            return Index().TryGetValue(name, out var at) ? at : -1;
        for (var i = 0; i < _items.Count; i++)
        {
            if (string.Equals(_items[i].Key, name, StringComparison.OrdinalIgnoreCase))
                return i;
        }
        return -1;
    }

    // Items are only ever added, so those that are not in it yet are the last.
    private Dictionary<string, int> Index()
    {
        var index = _index ?? new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = index.Count; i < _items.Count; i++)
            index[_items[i].Key] = i;
        return _index = index;
    }
}

/// <summary>A header map as a JSON object of arrays, as rows have it, its values as they are; a plain string is read as one value.</summary>
internal sealed class HeaderMapConverter : JsonConverter<HeaderMap>
{
    // To add to those of a name takes as long as there are.
    private const int MaxRepeats = 1_000;

    public override HeaderMap Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader);

    /// <summary>Reads the value that a reader has come to.</summary>
    /// <exception cref="JsonException">It is no object of headers.</exception>
    /// <exception cref="InvalidOperationException">A text in it is not of whole characters.</exception>
    public static HeaderMap Read(ref Utf8JsonReader reader)
    {
        var map = new HeaderMap();
        var repeats = 0;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("headers must be an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            string[] values = reader.TokenType switch
            {
                JsonTokenType.String => [reader.GetString()!],
                JsonTokenType.StartArray => ReadArray(ref reader, name),
                _ => throw new JsonException($"header {name}: the value must be a string or an array of strings"),
            };
            if (values.Length == 0)
                continue;
            if (map.Contains(name) && ++repeats > MaxRepeats)
                throw new JsonException($"header {name} stands there too often");
            map.Add(name, values);
        }
        return map;
    }

    private static string[] ReadArray(ref Utf8JsonReader reader, string name)
    {
        var values = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
                throw new JsonException($"header {name}: values must be strings");
            values.Add(reader.GetString()!);
        }
        return [.. values];
    }

    public override void Write(Utf8JsonWriter writer, HeaderMap value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, values) in value)
        {
            writer.WriteStartArray(name);
            foreach (var item in values)
                writer.WriteStringValue(item);
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }
}
