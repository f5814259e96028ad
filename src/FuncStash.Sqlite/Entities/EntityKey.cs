using System.Text;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Entities;

/// <summary>The key of a row as the file has it: TABLE/PARTITION/ROW in UTF-8.</summary>
internal static class EntityKey
{
    /// <summary>The most bytes the key may need.</summary>
    public static int MaxBytes(string table, string partition, string row) =>
        3 * (table.Length + partition.Length + row.Length) + 3;

    /// <summary>Writes the key; the number of its bytes.</summary>
    /// <exception cref="ArgumentException">A part holds a character that no key may hold.</exception>
    public static int Write(string table, string partition, string row, Span<byte> into)
    {
        var length = WritePartition(table, partition, into);
        return length + Encoding.UTF8.GetBytes(EntityKeys.Checked(row), into[length..]);
    }

    /// <summary>Writes the two keys that enclose <paramref name="range"/>: from (inclusive), to (exclusive).</summary>
    public static (int From, int To) WriteRange(
        string table, string partition, RowRange range, Span<byte> from, Span<byte> to)
    {
        var length = WritePartition(table, partition, from);
        from[..length].CopyTo(to);
        var fromLength = length + Encoding.UTF8.GetBytes(EntityKeys.Checked(range.From), from[length..]);
        if (range.Exclusive)
            from[fromLength++] = 1; // sorts before any character a key may hold
        if (range.To is { } end)
            return (fromLength, length + Encoding.UTF8.GetBytes(end, to[length..]));
        to[length - 1]++; // the character after '/': behind all rows of the partition
        return (fromLength, length);
    }

    /// <summary>The row key in a key of this partition.</summary>
    public static string Row(ReadOnlySpan<byte> key) => Encoding.UTF8.GetString(key[(key.LastIndexOf((byte)'/') + 1)..]);

    private static int WritePartition(string table, string partition, Span<byte> into)
    {
        var length = Encoding.UTF8.GetBytes(EntityKeys.Checked(table), into);
        into[length++] = (byte)'/';
        length += Encoding.UTF8.GetBytes(EntityKeys.Checked(partition), into[length..]);
        into[length++] = (byte)'/';
        return length;
    }
}
