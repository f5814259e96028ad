using System.Buffers;
using System.IO.Pipelines;

namespace FuncStash.Server.Connections;

/// <summary>Where Kestrel writes its responses, until it is no longer listened to.</summary>
internal sealed class ResponseOutput(PipeWriter inner) : PipeWriter
{
    private byte[]? _dropped;
    private bool _isSilent;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    /// <summary>Sends these bytes in place of all that is written from now on.</summary>
    public void Replace(byte[] answer)
    {
        inner.Write(answer);
        _dropped = [];
    }

    /// <summary>Sends nothing of what is written from now on.</summary>
    public void DropAll() => (_dropped, _isSilent) = ([], true);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _dropped is null ? inner.GetMemory(sizeHint) : Scratch(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _dropped is null ? inner.GetSpan(sizeHint) : Scratch(sizeHint);

    public override void Advance(int bytes)
    {
        if (_dropped is null)
            inner.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _isSilent ? default : inner.FlushAsync(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        _dropped is null ? inner.WriteAsync(source, cancellationToken) : FlushAsync(cancellationToken);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    private byte[] Scratch(int sizeHint) => _dropped = new byte[Math.Max(sizeHint, 4096)];
}
