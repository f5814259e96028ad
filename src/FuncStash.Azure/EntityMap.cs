using System.Globalization;
using Azure;
using Azure.Data.Tables;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>Between our entities and Azure's rows, whose binary properties hold 64 KiB at most.</summary>
internal static class EntityMap
{
    /// <summary>The property that tells which commit wrote a row; see <see cref="TableWrites"/>.</summary>
    public const string CommitProperty = "_commit";

    /// <summary>A version that no row ever has.</summary>
    public static readonly ETag NoVersion = new("W/\"datetime'1970-01-01T00%3A00%3A00.0000000Z'\"");

    private const int MaxBinary = 64 * 1024;
    private const string PartMark = "__";

    // Into so many parts the largest value is split.
    private const int MaxParts = (Entity.MaxBytes + MaxBinary - 1) / MaxBinary;

    // The version is made of the timestamp.
    private static readonly string[] s_always = ["PartitionKey", "RowKey", "Timestamp"];

    /// <summary>The properties to ask for, so that these values come whole; null for all of them.</summary>
    public static IEnumerable<string>? Select(IReadOnlyList<string>? only) => only is null
        ? null
        : s_always.Concat(only.SelectMany(name => Enumerable.Range(0, MaxParts).Select(part => Part(name, part))));

    public static TableEntity ToRow(Entity entity, string partition, long commit)
    {
        var row = new TableEntity(partition, entity.RowKey) { [CommitProperty] = commit };
        foreach (var (name, value) in entity.Values)
        {
            if (IsReserved(name))
                throw new ArgumentException($"A value cannot be named \"{name}\" in Azure Table storage.");
            if (value is byte[] { Length: > MaxBinary } bytes)
                Split(row, name, bytes);
            else
                row[name] = value is string or long or bool or byte[] ? value
                    : throw new ArgumentException($"The value {name} is a {value.GetType().Name}, which no row can hold.");
        }
        return row;
    }

    public static Entity FromRow(TableEntity row, string partition)
    {
        var values = new Dictionary<string, object>(row.Count, StringComparer.Ordinal);
        foreach (var (name, value) in row)
            if (value is not null && !IsReserved(name))
                values[name] = value is byte[] first ? Join(row, name, first) : value;
        return new Entity(partition, row.RowKey, values) { ETag = row.ETag.ToString() };
    }

    /// <summary>Azure refuses a version that is not spelled as its own; such a one matches no row.</summary>
    public static ETag Version(string? etag) =>
        etag is null ? ETag.All : etag.StartsWith("W/\"", StringComparison.Ordinal) ? new ETag(etag) : NoVersion;

    private static void Split(TableEntity row, string name, byte[] bytes)
    {
        for (var (part, start) = (0, 0); start < bytes.Length; part++, start += MaxBinary)
            row[Part(name, part)] = bytes[start..Math.Min(start + MaxBinary, bytes.Length)];
    }

    private static byte[] Join(TableEntity row, string name, byte[] first)
    {
        if (!row.ContainsKey(Part(name, 1)))
            return first;
        var parts = new List<byte[]> { first };
        while (row.TryGetValue(Part(name, parts.Count), out var next))
            parts.Add((byte[])next);
        var whole = new byte[parts.Sum(part => part.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.CopyTo(whole, at);
            at += part.Length;
        }
        return whole;
    }

    private static string Part(string name, int part) =>
        part == 0 ? name : name + PartMark + part.ToString(CultureInfo.InvariantCulture);

    private static bool IsReserved(string name) =>
        name is CommitProperty or "PartitionKey" or "RowKey" or "Timestamp" or "odata.etag" or "odata.metadata"
        || name.Contains(PartMark, StringComparison.Ordinal);
}
