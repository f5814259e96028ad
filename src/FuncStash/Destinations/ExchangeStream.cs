using System.Runtime.CompilerServices;

namespace FuncStash.Destinations;

/// <summary>
/// A connection to a destination, below the HTTP client and above TLS. It hears an answer that comes while the request is
/// still going out, and tells an <see cref="Exchange"/> whether its connection was a kept one that had been closed.
/// </summary>
/// <remarks>
/// The client writes a whole request before it reads. Where the other side takes no more of it, the rest of the request is
/// dropped without a word, so that the client goes on to the answer: it may be there. Such a connection serves no other request.
/// </remarks>
internal sealed class ExchangeStream(Stream connection, TimeProvider time, OpenConnections all) : Stream
{
    /// <summary>How long a destination that has answered 2xx may take over a piece of the request that it has not read.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Written at once: how a large request goes on shows piece by piece.
    private const int Piece = 64 * 1024;

    // One that was made for a request and waited longer for its first, was kept: the request had got another.
    private static readonly TimeSpan s_kept = TimeSpan.FromSeconds(1);

    private readonly long _made = time.GetTimestamp();
    private readonly EarlyAnswer _answer = new(connection);
    private Exception? _deaf;

    /// <summary>The one that it serves, or served last. Belongs to <see cref="OpenConnections"/>.</summary>
    public Exchange? Exchange { get; set; }

    /// <summary>Its place among those that no request uses; null while one does. Belongs to <see cref="OpenConnections"/>.</summary>
    public LinkedListNode<ExchangeStream>? Idle { get; set; }

    /// <summary>Whether it is closed, by whomever. Belongs to <see cref="OpenConnections"/>.</summary>
    public bool IsClosed { get; set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Begin();
        if (_deaf is not null)
            return default;
        var rest = buffer.Length > Piece ? buffer[Piece..] : default;
        var write = connection.WriteAsync(buffer[..^rest.Length], cancellationToken);
        if (!write.IsCompletedSuccessfully || !rest.IsEmpty)
            return SendAsync(write.AsTask(), rest);
        write.GetAwaiter().GetResult();
        return default;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read;
        try
        {
            read = await _answer.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception error) when (Exchange is { IsAnswered: false })
        {
            throw Broken(error);
        }
        if (read > 0)
            Exchange?.NoteAnswer();
        else if (!buffer.IsEmpty && Exchange is { IsAnswered: false })
            throw Broken(_deaf);
        return read;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => connection.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>The exchange is over. What is left of its request must not block the connection's end, or another request.</summary>
    public void Leave(Exchange exchange)
    {
        if (_deaf is null)
            all.NoteIdle(this, exchange);
        else if (exchange == Exchange)
            Dispose();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            all.NoteClosed(this);
            connection.Dispose();
        }
        base.Dispose(disposing);
    }

    // The first write of a request.
    private void Begin()
    {
        if (Exchange.Current is not { } exchange || exchange == Exchange)
            return;
        var isUsed = Exchange is not null;
        // It may have ended after the client looked for the last time, or have been closed in favour of another.
        var isOpen = all.TryUse(this, exchange);
        exchange.BeginOn(this, isUsed || !isOpen || time.GetElapsedTime(_made) >= s_kept);
        if (!isOpen || !_answer.TryBegin() || _deaf is not null)
            throw Broken(_deaf);
    }

    private async ValueTask SendAsync(Task write, ReadOnlyMemory<byte> rest)
    {
        try
        {
            while (write.IsCompleted || await IsTakenAsync(write))
            {
                await write;
                if (rest.IsEmpty)
                    return;
                if (_answer.Status > 0 && !IsWanted(_answer.Status))
                    break;
                var piece = rest[..Math.Min(Piece, rest.Length)];
                rest = rest[piece.Length..];
                write = connection.WriteAsync(piece).AsTask();
            }
            _deaf = new IOException("the destination takes no more of the request");
            // What is on its way ends with the connection, and its failure tells nothing.
            _ = write.ContinueWith(
                static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
        catch (Exception error)
        {
            _deaf = error;
        }
        finally
        {
            _answer.Stop();
        }
    }

    /// <summary>Waits for a write as long as there is sense in it; false when the other side will not take it.</summary>
    private async ValueTask<bool> IsTakenAsync(Task write)
    {
        await Task.WhenAny(write, _answer.ListenAsync());
        if (write.IsCompleted || !IsWanted(_answer.Status))
            return write.IsCompleted;
        // Half of the time that is left, so that the answer can be read in the other half.
        var left = Exchange is { } exchange && exchange.Left < 2 * Patience ? exchange.Left / 2 : Patience;
        using var stop = new CancellationTokenSource();
        await Task.WhenAny(write, Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, stop.Token));
        await stop.CancelAsync();
        return write.IsCompleted;
    }

    // Who takes a request at its beginning may read the rest; who refuses it will not (RFC 9112 §9.3).
    private static bool IsWanted(int status) => status is >= 200 and <= 299;

    private BrokenConnectionException Broken(Exception? cause)
    {
        Exchange?.NoteBreak();
        return new BrokenConnectionException(
            cause is null
                ? FailureText.Closed
                : $"the connection broke before an answer: {cause.GetBaseException().Message}",
            cause);
    }
}
