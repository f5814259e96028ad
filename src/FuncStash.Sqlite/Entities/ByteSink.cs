using System.Buffers;
using System.Text;

namespace FuncStash.Sqlite.Entities;

/// <summary>A growing pooled buffer that one operation fills on its caller's thread and the writer reads.</summary>
internal struct ByteSink
{
    private byte[]? _buffer;

    public int Length { get; private set; }

    public readonly ReadOnlySpan<byte> this[Range range] => _buffer.AsSpan()[range];

    /// <summary>Room for at least so many bytes; call <see cref="Advance"/> with how many were written.</summary>
    public Span<byte> Room(int size)
    {
        if (_buffer is null)
            _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(size, 1024));
        else if (_buffer.Length - Length < size)
            Grow(size);
        return _buffer.AsSpan(Length);
    }

    public void Advance(int count) => Length += count;

    public void Byte(byte value)
    {
        Room(1)[0] = value;
        Length++;
    }

    /// <summary>Seven bits a byte, the lowest first; the high bit says that more follow.</summary>
    public void Number(ulong value)
    {
        var room = Room(10);
        var count = 0;
        for (; value >= 0x80; value >>= 7)
            room[count++] = (byte)(value | 0x80);
        room[count++] = (byte)value;
        Length += count;
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        value.CopyTo(Room(value.Length));
        Length += value.Length;
    }

    public void Text(string value) =>
        Length += Encoding.UTF8.GetBytes(value, Room(value.Length * 3));

    /// <summary>The length in bytes, then the text.</summary>
    public void MeasuredText(string value)
    {
        if (value.Length >= 128 / 3)
        {
            Number((ulong)Encoding.UTF8.GetByteCount(value));
            Text(value);
            return;
        }

        var room = Room(128); // so short that its length fits one byte
        var count = Encoding.UTF8.GetBytes(value, room[1..]);
        room[0] = (byte)count;
        Length += count + 1;
    }

    public void Release()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
    }

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Length + size, Length * 2));
        _buffer.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer!);
        _buffer = larger;
    }
}
