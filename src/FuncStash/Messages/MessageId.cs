using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FuncStash.Wire;

namespace FuncStash.Messages;

/// <summary>
/// The id of a message: <c>msg_</c> and 22 base58 characters that hold 128 bits, so ids made later sort later.
/// </summary>
/// <remarks>
/// Bits, high to low: 48 creation time (unix ms), 16 counter, 1 part of a workflow run, 3 shard, 12 partition age (days),
/// 48 random. The partition of a message is the day of its creation less the partition age: a callback made days after its
/// source lies in the source's partition, so that both change in one commit; so do all messages of a run. No look-up by id
/// ever scans.
/// </remarks>
public readonly record struct MessageId
{
    /// <summary>How many partitions share a day; 8 x 2,000 entities/s is what an Azure account takes anyway.</summary>
    public const int Shards = 8;

    private const string Prefix = "msg_";
    private const int OfRunBit = Shards;
    private const long DayMs = 86_400_000;

    private readonly UInt128 _bits;

    private MessageId(UInt128 bits, string text) => (_bits, Text) = (bits, text);

    /// <summary>The id as it stands on the wire.</summary>
    public string Text { get; }

    /// <summary>When the message was created, in unix milliseconds.</summary>
    public long CreatedAt => (long)(ulong)(_bits >> 80);

    public int Shard => Place & (Shards - 1);

    /// <summary>True for the messages of workflow runs.</summary>
    public bool IsOfRun => (Place & OfRunBit) != 0;

    /// <summary>The day (since 1970-01-01) whose partition holds the message.</summary>
    public int PartitionDay => (int)(CreatedAt / DayMs) - Age;

    /// <summary>True when the message was created on another day than its partition's.</summary>
    public bool LiesInOlderPartition => Age != 0;

    private int Place => (int)(ulong)(_bits >> 60) & 0xF;

    private int Age => (int)((ulong)(_bits >> 48) & 0xFFF);

    public override string ToString() => Text;

    public bool Equals(MessageId other) => _bits == other._bits;

    public override int GetHashCode() => _bits.GetHashCode();

    /// <summary>An id of the given parts; the random part comes from <paramref name="random"/>.</summary>
    public static MessageId Create(long createdAt, int counter, ulong random)
    {
        var bits = ((UInt128)(ulong)createdAt << 80) | ((UInt128)(ushort)counter << 64)
            | ((UInt128)((random >> 48) & (Shards - 1)) << 60) | (random & 0xFFFF_FFFF_FFFF);
        return FromBits(bits);
    }

    /// <summary>
    /// The id that follows from <paramref name="cause"/>: the same cause gives the same id, so doing something twice
    /// makes one message.
    /// </summary>
    public static MessageId FromCause(string cause, long createdAt)
    {
        var hash = Hash(cause);
        return Create(createdAt, (int)(hash >> 16), (ulong)(hash >> 64));
    }

    /// <summary>The id of a message that this one causes at <paramref name="createdAt"/>, in this one's partition.</summary>
    /// <remarks>Not created before this one, though the clock of whoever makes it may say so: it would lie elsewhere.</remarks>
    public MessageId Follower(string cause, long createdAt)
    {
        createdAt = Math.Max(createdAt, CreatedAt);
        var age = Math.Clamp((int)(createdAt / DayMs) - PartitionDay, 0, 0xFFF);
        var hash = Hash(Text + "|" + cause);
        var bits = ((UInt128)(ulong)createdAt << 80) | ((UInt128)(ushort)(hash >> 16) << 64)
            | ((UInt128)(uint)Place << 60) | ((UInt128)(uint)age << 48) | ((ulong)(hash >> 64) & 0xFFFF_FFFF_FFFF);
        return FromBits(bits);
    }

    /// <summary>The same id, as that of the first message of a workflow run; those that follow from it are of the run too.</summary>
    public MessageId OfRun() => FromBits(_bits | ((UInt128)OfRunBit << 60));

    public static bool TryParse(string? text, out MessageId id)
    {
        id = default;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal)
            || !Base58.TryDecode(text.AsSpan(Prefix.Length), out var bits))
            return false;
        id = new MessageId(bits, text);
        return true;
    }

    public static MessageId Parse(string text) =>
        TryParse(text, out var id) ? id : throw new FormatException($"not a message id: {text}");

    private static MessageId FromBits(UInt128 bits)
    {
        Span<char> text = stackalloc char[Prefix.Length + Base58.Length];
        Prefix.CopyTo(text);
        Base58.Encode(bits, text[Prefix.Length..]);
        return new MessageId(bits, new string(text));
    }

    private static UInt128 Hash(string cause) =>
        BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(cause)));

    /// <summary>Days since 1970-01-01 of a unix time in milliseconds.</summary>
    public static int DayOf(long ms) => (int)(ms / DayMs);

    /// <summary>A day as <c>yyyyMMdd</c>.</summary>
    public static string DayText(int day) =>
        DateOnly.FromDayNumber(day + UnixEpochDayNumber).ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    public static int DayFromText(string text) =>
        DateOnly.ParseExact(text, "yyyyMMdd", CultureInfo.InvariantCulture).DayNumber - UnixEpochDayNumber;

    private const int UnixEpochDayNumber = 719_162;
}
