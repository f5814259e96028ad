namespace FuncStash.Storage;

/// <summary>One write to one row. The closed set of what Azure Table offers inside a transaction.</summary>
public abstract record Write
{
    private Write()
    {
    }

    /// <summary>The row that is written.</summary>
    public abstract string RowKey { get; }

    /// <summary>Adds a row; conflicts when the row is there.</summary>
    public sealed record Insert(Entity Entity) : Write
    {
        public override string RowKey => Entity.RowKey;
    }

    /// <summary>Adds the row or replaces all of its values. Never conflicts.</summary>
    public sealed record Upsert(Entity Entity) : Write
    {
        public override string RowKey => Entity.RowKey;
    }

    /// <summary>Replaces all values; conflicts when the row is gone or its version is not <paramref name="ETag"/>.</summary>
    public sealed record Replace(Entity Entity, string ETag) : Write
    {
        public override string RowKey => Entity.RowKey;
    }

    /// <summary>
    /// Removes the row; conflicts when the row is gone or its version is not <paramref name="ETag"/>.
    /// With a null <paramref name="ETag"/> any version will do, but the row must be there.
    /// </summary>
    public sealed record Delete(string Key, string? ETag) : Write
    {
        public override string RowKey => Key;
    }
}
