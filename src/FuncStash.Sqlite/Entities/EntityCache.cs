using System.Diagnostics.CodeAnalysis;

namespace FuncStash.Sqlite.Entities;

/// <summary>
/// Rows that were just written, as bytes, for reads that follow soon: a read by SQLite costs much more, as each commit
/// empties the page cache of readers. The writer alone changes it: it removes a row before a commit changes it, and puts
/// the new one once that is durable, so no entry is from before a commit that the file shows.
/// </summary>
/// <remarks>
/// Most rows are never read one by one, log events for instance. So a row is taken in only when one like it, by its
/// table and the start of its row key, was asked for before.
/// </remarks>
internal sealed class EntityCache
{
    private const int MaxBytes = 8 * 1024 * 1024, MaxEntries = 16 * 1024, MaxRow = 64 * 1024;

    private readonly Lock _gate = new();

    private readonly Queue<Entry> _oldest = new();

    private readonly Dictionary<byte[], Entry> _entries = new(new KeyComparer());

    private readonly Dictionary<byte[], Entry>.AlternateLookup<ReadOnlySpan<byte>> _byKey;

    private readonly bool[] _wanted = new bool[256];

    private int _bytes;

    public EntityCache() => _byKey = _entries.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>The row of this key; false when it is not in the cache. Its data is not to be changed.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, out long version, [NotNullWhen(true)] out byte[]? data)
    {
        lock (_gate)
        {
            var found = _byKey.TryGetValue(key, out var entry);
            (version, data) = found ? (entry!.Version, entry.Data) : default;
            return found;
        }
    }

    /// <summary>Notes that rows like this one are read.</summary>
    public void Want(ReadOnlySpan<byte> key) => _wanted[Kind(key)] = true;

    /// <summary>Takes in a row that was written; one that was added can have no older entry.</summary>
    public void Put(ReadOnlySpan<byte> key, long version, ReadOnlySpan<byte> data, bool added)
    {
        var take = _wanted[Kind(key)] && data.Length <= MaxRow;
        if (!take && added)
            return;
        lock (_gate)
        {
            RemoveEntry(key);
            if (!take)
                return;
            var entry = new Entry(key.ToArray(), version, data.ToArray());
            _entries.Add(entry.Key, entry);
            _oldest.Enqueue(entry);
            for (_bytes += data.Length; _bytes > MaxBytes || _oldest.Count > MaxEntries;)
                Drop(_oldest.Dequeue());
        }
    }

    public void Remove(ReadOnlySpan<byte> key)
    {
        if (!_wanted[Kind(key)])
            return; // none like it was ever taken in
        lock (_gate)
            RemoveEntry(key);
    }

    private void RemoveEntry(ReadOnlySpan<byte> key)
    {
        if (_byKey.TryGetValue(key, out var entry))
            Drop(entry);
    }

    private void Drop(Entry entry)
    {
        if (entry.Data is null)
            return; // dropped before, only its place in the queue was left
        _entries.Remove(entry.Key);
        _bytes -= entry.Data.Length;
        entry.Data = null;
    }

    private static int Kind(ReadOnlySpan<byte> key)
    {
        var row = key[(key.LastIndexOf((byte)'/') + 1)..];
        return (byte)((key[0] * 7) + (key.IndexOf((byte)'/') * 31)
            + (row.Length > 0 ? row[0] * 131 : 0) + (row.Length > 1 ? row[1] * 17 : 0));
    }

    private sealed class Entry(byte[] key, long version, byte[] data)
    {
        public byte[] Key => key;

        public long Version => version;

        public byte[]? Data { get; set; } = data;
    }

    private sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(byte[] key) => GetHashCode(key.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
