using System.Security.Cryptography;
using System.Text;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Wire;

namespace FuncStash.Deduplication;

/// <summary>A reservation that was found.</summary>
/// <param name="Message">The message that has the id.</param>
/// <param name="ETag">The version of the reservation.</param>
public sealed record Reserved(MessageId Message, string ETag);

/// <summary>Remembers which message a deduplication id stands for (protocol#deduplication).</summary>
/// <remarks>
/// The id is reserved before the message is stored. A publisher that finds a reservation whose message is not there yet
/// stores its own under that id, so one message results even when the first publisher died in between. One that finds the
/// message cancelled takes the reservation over, so a cancelled message keeps no id, however it was cancelled.
/// </remarks>
public sealed class Deduplicator(ITables tables, FuncStashOptions options, TimeProvider time)
{
    internal const string Table = "deduplication";

    /// <summary>Reserves the key for <paramref name="id"/>, or tells which message has it for the rest of its window.</summary>
    public async ValueTask<Reserved?> ReserveAsync(string key, MessageId id, CancellationToken cancellation = default)
    {
        var hash = Hash(key);
        var partition = Partition(hash);
        while (true)
        {
            var mine = Row(hash, id);
            if ((await tables.CommitAsync(new Commit(Table, partition, [new Write.Insert(mine)]), cancellation)).Applied)
                return null;
            if (await tables.GetAsync(Table, partition, hash, cancellation) is not { } row)
                continue;
            var first = MessageId.Parse(row.Text("MessageId")!);
            var left = row.Number("ExpiresAt")!.Value - time.GetUtcNow().ToUnixTimeMilliseconds();
            if (left <= 0)
            {
                if (await ReplaceAsync(mine, row.ETag!, cancellation))
                    return null;
            }
            // It is not to last longer than a window, whatever clock it was reserved by.
            else if (left > (long)options.DeduplicationWindow.TotalMilliseconds + Clocks.SkewMs)
                await ReplaceAsync(Row(hash, first), row.ETag!, cancellation);
            else
                return new Reserved(first, row.ETag!);
        }
    }

    /// <summary>Takes the key over for <paramref name="id"/> from a message that was cancelled; false when it has changed hands since.</summary>
    public ValueTask<bool> TakeOverAsync(string key, MessageId id, Reserved from, CancellationToken cancellation = default) =>
        ReplaceAsync(Row(Hash(key), id), from.ETag, cancellation);

    private async ValueTask<bool> ReplaceAsync(Entity row, string etag, CancellationToken cancellation) =>
        (await tables.CommitAsync(new Commit(Table, row.PartitionKey, [new Write.Replace(row, etag)]), cancellation)).Applied;

    private Entity Row(string hash, MessageId id) => new(Partition(hash), hash, new Dictionary<string, object>
    {
        ["MessageId"] = id.Text,
        ["ExpiresAt"] = (time.GetUtcNow() + options.DeduplicationWindow).ToUnixTimeMilliseconds(),
    });

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>The content-based id: destination, body, content type and forwarded headers (protocol#deduplication).</summary>
    public static string ContentKey(string destination, HeaderMap forwarded, byte[] body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, Encoding.UTF8.GetBytes(destination));
        Append(hash, body);
        foreach (var (name, values) in forwarded.OrderBy(h => h.Key, StringComparer.Ordinal))
        {
            Append(hash, Encoding.UTF8.GetBytes(name));
            foreach (var value in values)
                Append(hash, Encoding.UTF8.GetBytes(value));
        }
        // Explicit ids cannot contain a colon, so the two kinds never meet.
        return "content:" + Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The key of what is asked for once, which no explicit id and no content has: those have no such beginning.</summary>
    public static string OnceKey(string once) => "once:" + once;

    /// <summary>The 16 partitions of the table, by the first digit of the key's hash.</summary>
    internal static string Partition(string hash) => hash[..1];

    // With its length in front, so that no two different lists of parts hash alike.
    private static void Append(IncrementalHash hash, byte[] part)
    {
        hash.AppendData(BitConverter.GetBytes(part.Length));
        hash.AppendData(part);
    }
}
