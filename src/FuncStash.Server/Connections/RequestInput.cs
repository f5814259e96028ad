using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace FuncStash.Server.Connections;

/// <summary>
/// Where Kestrel reads requests. What it has read last is kept until it reads on, so that a request line it has refused is still
/// there; that can then be read again in another form.
/// </summary>
/// <remarks>
/// The end of what a client sends is told only once there is nothing else to tell: Kestrel drops a request whose body it reads together
/// with the end.
/// </remarks>
internal sealed class RequestInput(PipeReader inner) : PipeReader
{
    private ReadOnlySequence<byte> _seen;
    private (SequencePosition Consumed, SequencePosition Examined)? _advance;

    // Bytes that come before those of the inner reader, and whether the reader has looked at all of them.
    private ReadOnlyMemory<byte> _again;
    private bool _wantsMore;

    // Whether the end is there and was not told, and whether anything was consumed since the last read.
    private bool _keptEnd, _hasConsumed;

    /// <summary>
    /// Puts the first line of what was read last before the rest once more, what is not ASCII in its target percent-encoded.
    /// </summary>
    /// <returns>False when there is nothing to encode.</returns>
    public bool EscapeTarget()
    {
        if (RequestHead.EscapeTarget(_seen) is not var (line, end))
            return false;
        if (_advance is null)
            // Kept bytes are read: what follows the line comes after it again.
            _again = new([.. line, .. _seen.Slice(end).ToArray()]);
        else
        {
            _again = line;
            _advance = (end, end);
        }
        _wantsMore = false;
        return true;
    }

    /// <summary>Whether what was read last begins with these bytes.</summary>
    public bool StartsWith(ReadOnlySpan<byte> bytes) => new SequenceReader<byte>(_seen).IsNext(bytes);

    /// <summary>The first header in what was read last whose value no header can have; null when there is none.</summary>
    public string? BadHeader() => RequestHead.BadHeader(_seen);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        Release();
        return _again.IsEmpty ? ReadInnerAsync(cancellationToken) : ReadAgainAsync(cancellationToken);
    }

    public override bool TryRead(out ReadResult result)
    {
        Release();
        if (_again.IsEmpty)
        {
            if (!inner.TryRead(out result))
                return false;
            result = Told(result);
            return true;
        }
        if (!_wantsMore)
            result = Seen(default);
        else if (inner.TryRead(out result))
            result = Append(result);
        else
            return false;
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_again.IsEmpty)
        {
            _advance = (consumed, examined);
            return;
        }
        _wantsMore = _seen.GetOffset(examined) - _seen.GetOffset(_seen.Start) == _again.Length;
        _again = _again[(int)(_seen.GetOffset(consumed) - _seen.GetOffset(_seen.Start))..];
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    // Without an allocation for each read that has to wait, which is each one.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReadInnerAsync(CancellationToken cancellation) => Told(await inner.ReadAsync(cancellation));

    private ReadResult Told(ReadResult result)
    {
        _seen = result.Buffer;
        if (!result.IsCompleted || _seen.IsEmpty || (_keptEnd && !_hasConsumed))
            return result;
        _keptEnd = true;
        return new(_seen, result.IsCanceled, isCompleted: false);
    }

    private async ValueTask<ReadResult> ReadAgainAsync(CancellationToken cancellation) =>
        _wantsMore ? Append(await inner.ReadAsync(cancellation)) : Seen(default);

    private ReadResult Append(ReadResult more)
    {
        var isEnd = more.IsCompleted && more.Buffer.IsEmpty;
        _again = new([.. _again.Span, .. more.Buffer.ToArray()]);
        inner.AdvanceTo(more.Buffer.End);
        return Seen(new(default, more.IsCanceled, isEnd));
    }

    private ReadResult Seen(ReadResult of)
    {
        _seen = new(_again);
        return new(_seen, of.IsCanceled, of.IsCompleted);
    }

    private void Release()
    {
        if (_advance is not var (consumed, examined))
            return;
        _advance = null;
        _hasConsumed = !consumed.Equals(_seen.Start);
        _seen = default;
        inner.AdvanceTo(consumed, examined);
    }
}
