using System.Buffers;

namespace FuncStash.Destinations;

/// <summary>
/// What comes in on a connection. While a request is still going out it is looked at for a final status, and kept for the
/// reader who comes after.
/// </summary>
/// <remarks>
/// A destination may answer before it has read the request, to refuse it for instance, and read no more of it. Who only
/// writes would wait for ever, or learn of nothing but the connection's end (RFC 9112 §9.5).
/// </remarks>
internal sealed class EarlyAnswer(Stream connection)
{
    // More than any row of interim answers; the rest can wait until the request is out.
    private const int MostKept = 64 * 1024;

    private readonly Lock _lock = new();
    private StatusScanner _scanner;
    private ArrayBufferWriter<byte>? _kept;
    private int _taken;
    private Exception? _error;
    private TaskCompletionSource? _known;
    private Task? _listening;
    private bool _reading;
    private bool _isOver;

    /// <summary>The final status; 0 while it has not come.</summary>
    public int Status { get; private set; }

    /// <summary>A new request begins. False when the connection has ended, or brought what is no answer to it.</summary>
    public bool TryBegin()
    {
        lock (_lock)
        {
            (_scanner, Status) = (default, 0);
            return _kept is null && !_isOver;
        }
    }

    /// <summary>Reads ahead until <see cref="Stop"/>. The task ends with the final status, or when none will come any more.</summary>
    public Task ListenAsync()
    {
        lock (_lock)
        {
            _known ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Tell();
            Listen();
            return _known.Task;
        }
    }

    /// <summary>The request is out: from now on there is a reader.</summary>
    public void Stop()
    {
        lock (_lock)
            _known = null;
    }

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        while (NextToWaitFor() is { } listening)
            await listening;
        lock (_lock)
        {
            if (!_reading)
                return Take(buffer.Span);
        }
        // A read of no bytes only tells that there are some.
        var (read, isOver) = (0, true);
        try
        {
            read = await connection.ReadAsync(buffer, cancellation);
            isOver = read == 0 && !buffer.IsEmpty;
            return read;
        }
        finally
        {
            lock (_lock)
            {
                _reading = false;
                Note(buffer.Span[..read], isOver);
                Listen();
            }
        }
    }

    // Null when it is the reader's turn: to take what is kept or, with the mark set, to read the connection.
    private Task? NextToWaitFor()
    {
        lock (_lock)
        {
            _reading = _listening is null && _kept is null && _error is null;
            return _listening;
        }
    }

    private int Take(Span<byte> buffer)
    {
        if (_kept is null)
            throw _error!;
        var left = _kept.WrittenSpan[_taken..];
        var read = Math.Min(left.Length, buffer.Length);
        left[..read].CopyTo(buffer);
        _taken += read;
        if (read == left.Length)
            (_kept, _taken) = (null, 0);
        return read;
    }

    private bool IsOpen => _known is { Task.IsCompleted: false };

    private void Listen()
    {
        if (!IsOpen || _reading || _listening is not null)
            return;
        var listening = ReadOnAsync();
        if (!listening.IsCompleted)
            _listening = listening;
    }

    private async Task ReadOnAsync()
    {
        var memory = new byte[4096];
        while (true)
        {
            var read = 0;
            Exception? error = null;
            try
            {
                read = await connection.ReadAsync(memory);
            }
            catch (Exception failure)
            {
                error = failure;
            }
            lock (_lock)
            {
                _error = error;
                if (read > 0)
                    (_kept ??= new()).Write(memory.AsSpan(0, read));
                Note(memory.AsSpan(0, read), read == 0);
                if (read > 0 && IsOpen && _kept!.WrittenCount < MostKept)
                    continue;
                _listening = null;
                return;
            }
        }
    }

    private void Note(ReadOnlySpan<byte> bytes, bool isOver)
    {
        _isOver |= isOver;
        if (Status == 0)
            Status = _scanner.Take(bytes);
        Tell();
    }

    private void Tell()
    {
        if (Status != 0 || _isOver)
            _known?.TrySetResult();
    }
}
