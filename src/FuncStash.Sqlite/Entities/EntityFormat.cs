using System.Text;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Entities;

/// <summary>
/// The values of a row as bytes: a format byte (1), the number of values, then for each its name, a tag and the value.
/// Numbers are variable-length, signed ones zigzag; names, text and binary have their length before them.
/// </summary>
internal static class EntityFormat
{
    public const byte Format = 1, False = 0, True = 1, Number = 2, Text = 3, Bytes = 4;

    /// <summary>Writes the values; what they hold in bytes, counted as Azure Table does (text in UTF-16).</summary>
    /// <exception cref="ArgumentException">A type that is no value, or more than an entity may hold.</exception>
    public static int Write(ref ByteSink sink, IReadOnlyDictionary<string, object> values)
    {
        sink.Byte(Format);
        sink.Number((ulong)values.Count);
        var size = 0;
        if (values is Dictionary<string, object> dictionary)
            foreach (var (name, value) in dictionary) // without an enumerator on the heap
                size += Write(ref sink, name, value);
        else
            foreach (var (name, value) in values)
                size += Write(ref sink, name, value);
        return size <= Entity.MaxBytes
            ? size
            : throw new ArgumentException($"An entity holds at most {Entity.MaxBytes} bytes of values, not {size}.");
    }

    private static int Write(ref ByteSink sink, string name, object value)
    {
        sink.MeasuredText(name);
        switch (value)
        {
            case string { Length: <= Entity.MaxText } text:
                sink.Byte(Text);
                sink.MeasuredText(text);
                return text.Length * sizeof(char);
            case string text:
                throw new ArgumentException($"'{name}' holds {text.Length} characters; at most {Entity.MaxText} are allowed.");
            case long number:
                sink.Byte(Number);
                sink.Number((ulong)((number << 1) ^ (number >> 63)));
                return sizeof(long);
            case bool flag:
                sink.Byte(flag ? True : False);
                return 1;
            case byte[] bytes:
                sink.Byte(Bytes);
                sink.Number((ulong)bytes.Length);
                sink.Bytes(bytes);
                return bytes.Length;
            default:
                throw new ArgumentException($"'{name}' is a {value?.GetType().Name ?? "null"}: no value of an entity.");
        }
    }

    /// <summary>Reads values; where <paramref name="only"/> is given, only those of these names.</summary>
    public static EntityValues Read(ReadOnlySpan<byte> data, IReadOnlyList<string>? only = null)
    {
        if (only is { Count: 0 })
            return EntityValues.None;
        if (data[0] != Format)
            throw new InvalidDataException($"A row is in format {data[0]}, not {Format}.");
        data = data[1..];
        var count = (int)ReadNumber(ref data);
        var names = new string[count];
        var values = new object[count];
        var read = 0;
        for (var i = 0; i < count; i++)
        {
            var name = NameCache.Get(ReadMeasured(ref data));
            if (only is not null && !only.Contains(name))
            {
                SkipValue(ref data);
                continue;
            }
            names[read] = name;
            values[read++] = ReadValue(ref data);
        }

        return read == count ? new EntityValues(names, values) : new EntityValues(names[..read], values[..read]);
    }

    private static void SkipValue(ref ReadOnlySpan<byte> data)
    {
        var tag = data[0];
        data = data[1..];
        if (tag is Text or Bytes)
            ReadMeasured(ref data);
        else if (tag is Number)
            ReadNumber(ref data);
        else if (tag is not (False or True))
            throw new InvalidDataException($"A row holds a value with the unknown tag {tag}.");
    }

    private static object ReadValue(ref ReadOnlySpan<byte> data)
    {
        var tag = data[0];
        data = data[1..];
        switch (tag)
        {
            case False: return EntityValues.False;
            case True: return EntityValues.True;
            case Text: return Encoding.UTF8.GetString(ReadMeasured(ref data));
            case Bytes: return ReadMeasured(ref data).ToArray();
            case Number:
                var zigzag = ReadNumber(ref data);
                return (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
            default: throw new InvalidDataException($"A row holds a value with the unknown tag {tag}.");
        }
    }

    private static ReadOnlySpan<byte> ReadMeasured(ref ReadOnlySpan<byte> data)
    {
        var length = (int)ReadNumber(ref data);
        var measured = data[..length];
        data = data[length..];
        return measured;
    }

    private static ulong ReadNumber(ref ReadOnlySpan<byte> data)
    {
        ulong value = 0;
        for (int i = 0, shift = 0; ; i++, shift += 7)
        {
            value |= (ulong)(data[i] & 0x7f) << shift;
            if (data[i] < 0x80)
            {
                data = data[(i + 1)..];
                return value;
            }
        }
    }
}
