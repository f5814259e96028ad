namespace FuncStash.Sqlite.Sql;

/// <summary>A prepared statement: bind (from 1), step, read columns (from 0), reset.</summary>
internal sealed unsafe class Statement(Connection connection, nint handle) : IDisposable
{
    private nint handle = handle;

    public Statement Bind(int index, long value)
    {
        _ = Native.Bind(handle, index, value);
        return this;
    }

    /// <summary>Binds UTF-8 text.</summary>
    public Statement BindText(int index, ReadOnlySpan<byte> utf8)
    {
        var nothing = (byte)0; // a null pointer would be NULL
        fixed (byte* bytes = utf8)
            Check(Native.BindText(handle, index, bytes is null ? &nothing : bytes, utf8.Length, Native.Transient));
        return this;
    }

    public Statement BindBlob(int index, ReadOnlySpan<byte> value)
    {
        var nothing = (byte)0;
        fixed (byte* bytes = value)
            Check(Native.BindBlob(handle, index, bytes is null ? &nothing : bytes, value.Length, Native.Transient));
        return this;
    }

    /// <summary>Goes to the next row. False at the end, and then the statement is reset.</summary>
    public bool Step()
    {
        var code = Native.Step(handle);
        if (code == Native.Row)
            return true;
        if (code == Native.Done)
        {
            Reset();
            return false;
        }

        var failure = connection.Failure();
        Reset();
        throw failure;
    }

    /// <summary>Runs to the end; the number of rows it changed.</summary>
    public int Run()
    {
        while (Step())
        {
        }

        return connection.Changes;
    }

    public void Reset() => _ = Native.Reset(handle);

    public long Number(int column) => Native.Number(handle, column);

    /// <summary>The bytes of a blob or of UTF-8 text; valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column)
    {
        var bytes = Native.Bytes(handle, column);
        return new ReadOnlySpan<byte>(bytes, Native.Length(handle, column));
    }

    public void Dispose()
    {
        _ = Native.Finish(handle); // of none: no effect
        handle = 0;
    }

    private void Check(int code)
    {
        if (code != Native.Ok)
            throw connection.Failure();
    }
}
