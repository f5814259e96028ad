namespace FuncStash.Storage;

/// <summary>One row of a table: two keys, a version and a bag of named values.</summary>
/// <remarks>
/// Keys are compared as ordinal text and are what <see cref="EntityKeys"/> allows.
/// Values are <see cref="string"/>, <see cref="long"/>, <see cref="bool"/> or <see cref="byte"/>[]; a name that is not
/// there is a value that was never set. One entity holds at most <see cref="MaxBytes"/> in all; a single binary value
/// may be that large, a single string at most <see cref="MaxText"/> characters.
/// </remarks>
public sealed record Entity(string PartitionKey, string RowKey, IReadOnlyDictionary<string, object> Values)
{
    /// <summary>
    /// The most that the values of one entity may hold, in bytes: 1 MiB in Azure Table, which Azurite measures on the
    /// request, where binary values are base64, a third longer.
    /// </summary>
    public const int MaxBytes = 700 * 1024;

    /// <summary>The most characters of one string: 64 KiB in Azure Table, which keeps UTF-16.</summary>
    public const int MaxText = 32_000;

    /// <summary>The version this entity was read or written at; null for one that was never stored.</summary>
    public string? ETag { get; init; }

    /// <summary>What the values hold, in bytes, counted as Azure Table does.</summary>
    public int Size => Values.Values.Sum(SizeOf);

    public string? Text(string name) => Values.TryGetValue(name, out var value) ? (string)value : null;

    public long? Number(string name) => Values.TryGetValue(name, out var value) ? (long)value : null;

    public bool Flag(string name) => Values.TryGetValue(name, out var value) && (bool)value;

    public byte[]? Bytes(string name) => Values.TryGetValue(name, out var value) ? (byte[])value : null;

    private static int SizeOf(object value) => value switch
    {
        string text => sizeof(char) * text.Length,
        byte[] bytes => bytes.Length,
        bool => 1,
        _ => sizeof(long),
    };
}
