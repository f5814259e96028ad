using System.Security.Cryptography;
using System.Text;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Wire;

namespace FuncStash.Deduplication;

/// <summary>Remembers which message a deduplication id stands for (protocol#deduplication).</summary>
/// <remarks>
/// The id is reserved before the message is stored. A publisher that finds a reservation whose message is not there yet
/// stores its own under that id, so one message results even when the first publisher died in between.
/// </remarks>
public sealed class Deduplicator(ITables tables, FuncStashOptions options, TimeProvider time)
{
    internal const string Table = "deduplication";

    /// <summary>Reserves the key for <paramref name="id"/>, or tells which message has it for the rest of its window.</summary>
    public async ValueTask<MessageId?> ReserveAsync(string key, MessageId id, CancellationToken cancellation = default)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        var partition = Partition(hash);
        while (true)
        {
            var now = time.GetUtcNow();
            var mine = new Entity(partition, hash, new Dictionary<string, object>
            {
                ["MessageId"] = id.Text,
                ["ExpiresAt"] = (now + options.DeduplicationWindow).ToUnixTimeMilliseconds(),
            });
            if ((await tables.CommitAsync(new Commit(Table, partition, [new Write.Insert(mine)]), cancellation)).Applied)
                return null;
            if (await tables.GetAsync(Table, partition, hash, cancellation) is not { } row)
                continue;
            if (row.Number("ExpiresAt") > now.ToUnixTimeMilliseconds())
                return MessageId.Parse(row.Text("MessageId")!);
            var takeOver = new Commit(Table, partition, [new Write.Replace(mine, row.ETag!)]);
            if ((await tables.CommitAsync(takeOver, cancellation)).Applied)
                return null;
        }
    }

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

    /// <summary>The 16 partitions of the table, by the first digit of the key's hash.</summary>
    internal static string Partition(string hash) => hash[..1];

    // With its length in front, so that no two different lists of parts hash alike.
    private static void Append(IncrementalHash hash, byte[] part)
    {
        hash.AppendData(BitConverter.GetBytes(part.Length));
        hash.AppendData(part);
    }
}
