using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace FuncStash.Bench;

/// <summary>The messages of one phase: when each was sent, acknowledged and seen at the sink, in timestamps of the one
/// clock of this process. Publisher and sink write it concurrently; each message has its own slot.</summary>
internal sealed class Batch(string run, int id, int capacity)
{
    public const int BodyBytes = 200;
    public const int MaxMessages = 9_999_999;

    // {"run":"1a2b3c4d","batch":"003","seq":"0000017","pad":"..."}: fixed offsets, so the sink need not parse JSON.
    private const int RunAt = 8, BatchAt = 27, SeqAt = 39;

    public int Id => id;
    public int Capacity => capacity;

    public readonly long[] Sent = new long[capacity];
    public readonly long[] Acked = new long[capacity];        // 0: never acknowledged
    public readonly long[] FirstAttempt = new long[capacity]; // whatever the sink answered
    public readonly long[] Arrived = new long[capacity];      // first delivery that the sink answered 200
    public readonly int[] Attempts = new int[capacity];
    public readonly int[] Deliveries = new int[capacity];     // answered 200
    public readonly string?[] AckedId = new string?[capacity];
    public readonly string?[] ArrivedId = new string?[capacity];

    private int _arrivedCount, _alteredCount, _errorCount;
    private long _lastArrival;
    private string? _firstError;

    /// <summary>So many attempts of each message are answered 503.</summary>
    public int FailFirst { get; init; }

    /// <summary>Different messages that have arrived.</summary>
    public int ArrivedCount => Volatile.Read(ref _arrivedCount);

    /// <summary>Deliveries whose body is not, byte for byte, what was published.</summary>
    public int AlteredCount => Volatile.Read(ref _alteredCount);

    /// <summary>Publishes that failed or were not answered 2xx.</summary>
    public int ErrorCount => Volatile.Read(ref _errorCount);

    public string? FirstError => Volatile.Read(ref _firstError);
    public long LastArrival => Volatile.Read(ref _lastArrival);

    public void WriteBody(Span<byte> body, int seq)
    {
        Utf8.TryWrite(body, CultureInfo.InvariantCulture,
            $"{{\"run\":\"{run}\",\"batch\":\"{id:000}\",\"seq\":\"{seq:0000000}\",\"pad\":\"", out var at);
        for (; at < BodyBytes - 2; at++)
            body[at] = (byte)('a' + ((seq + at) % 26));
        "\"}"u8.CopyTo(body[at..]);
    }

    /// <summary>Which message a body belongs to; false when it is none of this run.</summary>
    public static bool TryIdentify(ReadOnlySpan<byte> body, string run, out int batch, out int seq)
    {
        batch = seq = -1;
        return body.Length >= SeqAt + 7
            && Ascii.Equals(body.Slice(RunAt, run.Length), run)
            && int.TryParse(body.Slice(BatchAt, 3), NumberStyles.None, CultureInfo.InvariantCulture, out batch)
            && int.TryParse(body.Slice(SeqAt, 7), NumberStyles.None, CultureInfo.InvariantCulture, out seq);
    }

    /// <summary>Notes one delivery.</summary>
    /// <returns>the status to answer</returns>
    public int Deliver(int seq, ReadOnlySpan<byte> body, string? messageId, long now)
    {
        Span<byte> expected = stackalloc byte[BodyBytes];
        WriteBody(expected, seq);
        if (!body.SequenceEqual(expected))
            Interlocked.Increment(ref _alteredCount);

        var attempt = Interlocked.Increment(ref Attempts[seq]);
        if (attempt == 1)
            FirstAttempt[seq] = now;
        if (attempt <= FailFirst)
            return 503;
        if (Interlocked.Increment(ref Deliveries[seq]) == 1)
        {
            ArrivedId[seq] = messageId;
            Volatile.Write(ref Arrived[seq], now);
            Volatile.Write(ref _lastArrival, now);
            Interlocked.Increment(ref _arrivedCount);
        }
        return 200;
    }

    public void Fail(string why)
    {
        Interlocked.Increment(ref _errorCount);
        Interlocked.CompareExchange(ref _firstError, why, null);
    }
}
