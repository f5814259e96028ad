using System.Globalization;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Entities;

/// <summary>
/// The writes of one commit, encoded on the caller's thread and applied all or none on the writer's.
/// </summary>
/// <remarks>
/// No savepoint is needed, which would cost as much as a write. Inserts go first: they are easily taken back. One
/// conditional write may follow without a look; where there are several, the others are looked up before anything is written.
/// Upserts cannot conflict and go last. The order makes no difference, as no row is written twice.
/// </remarks>
internal sealed class EntityWrites
{
    private readonly Slot[] _slots;

    private readonly int _conditional;

    private ByteSink _bytes;

    private int _failed = -1;

    /// <exception cref="ArgumentException">More writes or bytes than a commit may hold, or a key or value that is none.</exception>
    public EntityWrites(Commit commit)
    {
        var writes = commit.Writes;
        if (writes.Count > Commit.MaxWrites)
            throw new ArgumentException($"A commit holds at most {Commit.MaxWrites} writes, not {writes.Count}.");
        _slots = writes.Count == 0 ? [] : new Slot[writes.Count];
        try
        {
            var size = 0;
            for (var i = 0; i < _slots.Length; i++)
            {
                ref var slot = ref _slots[i];
                size += Encode(ref slot, commit, writes[i]);
                _conditional += IsConditional(slot.Kind) ? 1 : 0;
            }

            if (size > Commit.MaxBytes)
                throw new ArgumentException($"A commit holds at most {Commit.MaxBytes} bytes of values, not {size}.");
        }
        catch
        {
            Release();
            throw;
        }
    }

    private enum Kind : byte
    {
        Insert,
        Upsert,
        Replace,
        Delete,
        DeleteAny,
    }

    public int Bytes => _bytes.Length;

    /// <summary>The result of the last <see cref="Apply"/>.</summary>
    public CommitResult Result
    {
        get
        {
            if (_failed >= 0)
                return CommitResult.Conflict(_failed);
            if (_slots.Length == 0)
                return new CommitResult(null, []);
            var etags = new string[_slots.Length];
            for (var i = 0; i < etags.Length; i++)
                etags[i] = _slots[i].Version == 0 ? "" : _slots[i].Version.ToString(CultureInfo.InvariantCulture);
            return new CommitResult(null, etags);
        }
    }

    /// <summary>Applies all; false when one conflicts, and then nothing was changed.</summary>
    public bool Apply(WriteSession session)
    {
        _failed = -1;
        if (TryApply(session))
        {
            Hide(session.Cache);
            return true;
        }

        _failed = FirstConflict(session);
        return false;
    }

    /// <summary>Shows the rows as they are now to those who read them next.</summary>
    public void Publish(EntityCache cache)
    {
        foreach (ref var slot in _slots.AsSpan())
            if (slot.Version == 0)
                cache.Remove(Key(slot));
            else
                cache.Put(Key(slot), slot.Version, _bytes[slot.KeyEnd..slot.End], added: slot.Kind is Kind.Insert);
    }

    public void Release() => _bytes.Release();

    private int Encode(ref Slot slot, Commit commit, Write write)
    {
        var (kind, entity, etag) = write switch
        {
            Write.Insert insert => (Kind.Insert, insert.Entity, null),
            Write.Upsert upsert => (Kind.Upsert, upsert.Entity, null),
            Write.Replace replace => (Kind.Replace, replace.Entity, replace.ETag),
            Write.Delete delete => (delete.ETag is null ? Kind.DeleteAny : Kind.Delete, null, delete.ETag),
            _ => throw new ArgumentException("No such write."),
        };
        slot.Kind = kind;
        slot.Expected = long.TryParse(etag, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : -1;
        if (entity is not null && !string.Equals(entity.PartitionKey, commit.PartitionKey, StringComparison.Ordinal))
            throw new ArgumentException(
                $"A commit writes to one partition: '{commit.PartitionKey}', not '{entity.PartitionKey}'.");
        slot.Start = _bytes.Length;
        var room = _bytes.Room(EntityKey.MaxBytes(commit.Table, commit.PartitionKey, write.RowKey));
        _bytes.Advance(EntityKey.Write(commit.Table, commit.PartitionKey, write.RowKey, room));
        slot.KeyEnd = _bytes.Length;
        var size = entity is null ? 0 : EntityFormat.Write(ref _bytes, entity.Values);
        slot.End = _bytes.Length;
        return size;
    }

    /// <summary>
    /// The file shows the commit a little before <see cref="Publish"/>; so meanwhile these rows are read from there, and
    /// nobody who has seen a part of the commit, its message for instance, finds a row from before it.
    /// </summary>
    private void Hide(EntityCache cache)
    {
        foreach (ref var slot in _slots.AsSpan())
            if (slot.Kind is not Kind.Insert)
                cache.Remove(Key(slot));
    }

    private bool TryApply(WriteSession session)
    {
        var first = Array.FindIndex(_slots, slot => IsConditional(slot.Kind));
        if (_conditional > 1 && ConflictsAfter(session, first))
            return false;
        for (var i = 0; i < _slots.Length; i++)
            if (_slots[i].Kind is Kind.Insert && !Run(session, ref _slots[i]))
                return TakeBack(session, i);
        for (var i = first; i >= 0 && i < _slots.Length; i++)
            if (IsConditional(_slots[i].Kind) && !Run(session, ref _slots[i]))
                return i == first
                    ? TakeBack(session, _slots.Length)
                    : throw new InvalidOperationException("A row is written twice in one commit.");
        for (var i = 0; i < _slots.Length; i++)
            if (_slots[i].Kind is Kind.Upsert)
                Run(session, ref _slots[i]);
        return true;
    }

    private bool TakeBack(WriteSession session, int inserted)
    {
        for (var i = 0; i < inserted; i++)
            if (_slots[i].Kind is Kind.Insert)
                session.DeleteAnyEntity.BindText(1, Key(_slots[i])).Run();
        return false;
    }

    private bool Run(WriteSession session, ref Slot slot)
    {
        slot.Version = slot.Kind is Kind.Delete or Kind.DeleteAny ? 0 : session.NextVersion();
        var key = Key(slot);
        var statement = slot.Kind switch
        {
            Kind.Insert => session.InsertEntity,
            Kind.Upsert => session.UpsertEntity,
            Kind.Replace => session.ReplaceEntity.Bind(4, slot.Expected),
            Kind.Delete => session.DeleteEntity.Bind(2, slot.Expected),
            _ => session.DeleteAnyEntity,
        };
        statement.BindText(1, key);
        if (slot.Version != 0)
            statement.Bind(2, slot.Version).BindBlob(3, _bytes[slot.KeyEnd..slot.End]);
        return statement.Run() > 0;
    }

    private static bool IsConditional(Kind kind) => kind is not (Kind.Insert or Kind.Upsert);

    private bool ConflictsAfter(WriteSession session, int first)
    {
        for (var i = first + 1; i < _slots.Length; i++)
            if (IsConditional(_slots[i].Kind) && Conflicts(session, _slots[i]))
                return true;
        return false;
    }

    private int FirstConflict(WriteSession session)
    {
        for (var i = 0; i < _slots.Length; i++)
            if (Conflicts(session, _slots[i]))
                return i;
        throw new InvalidOperationException("A row is written twice in one commit.");
    }

    private bool Conflicts(WriteSession session, in Slot slot)
    {
        if (slot.Kind is Kind.Upsert)
            return false;
        var find = session.FindEntity.BindText(1, Key(slot));
        var there = find.Step();
        var version = there ? find.Number(0) : 0;
        find.Reset();
        return slot.Kind switch
        {
            Kind.Insert => there,
            Kind.DeleteAny => !there,
            _ => version != slot.Expected,
        };
    }

    private ReadOnlySpan<byte> Key(in Slot slot) => _bytes[slot.Start..slot.KeyEnd];

    /// <summary>One write: its key and data are parts of the buffer. Version: what it became, 0 for a delete.</summary>
    private struct Slot
    {
        public Kind Kind;
        public int Start, KeyEnd, End;
        public long Expected, Version;
    }
}
