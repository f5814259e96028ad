using System.Globalization;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Waiting;

/// <summary>What waits for one minute, or one of the shards of it.</summary>
/// <param name="Minute">The start of the minute, in unix milliseconds.</param>
/// <param name="Shard">0 unless so much waits for the minute that one partition is not enough.</param>
public readonly record struct Bucket(long Minute, int Shard);

/// <summary>Where the buckets lie in the table, and how deliveries become rows.</summary>
/// <remarks>
/// A bucket is a partition; in it a row for each delivery, earliest first, whose key says all
/// (<c>DUE|MESSAGE|TICKET|WAIT</c>), and the claim of whoever wakes it. The partition <see cref="Index"/> names the buckets that may have rows.
/// </remarks>
internal static class BucketRows
{
    public const string Table = "waits", Index = "minutes", Claim = "claim";

    /// <summary>The deliveries of a bucket: keys that begin with a digit.</summary>
    public static readonly RowRange Deliveries = new("", ":");

    public static string Partition(Bucket bucket) => string.Create(CultureInfo.InvariantCulture, $"{bucket.Shard:x}-{WaitTimes.TextOf(bucket.Minute)}");

    public static Entity ToRow(string partition, PlannedDelivery delivery) =>
        new(partition, string.Create(CultureInfo.InvariantCulture, $"{delivery.DueAt:D15}|{delivery.Ticket}|{delivery.Wait}"), new Dictionary<string, object>());

    public static PlannedDelivery FromKey(string rowKey)
    {
        // Those of before waits had numbers end with the ticket.
        return rowKey.Split('|') is [var due, var message, var number, .. var wait] && DeliveryTicket.TryParse($"{message}|{number}", out var ticket)
            ? new PlannedDelivery(ticket, Number(due), wait is [var last] ? (int)Number(last) : 0)
            : throw new InvalidDataException($"no ticket of a delivery: {rowKey}");

        static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }

    public static Entity ToIndexRow(Bucket bucket) => new(Index, IndexKey(bucket), new Dictionary<string, object>());

    public static string IndexKey(Bucket bucket) => string.Create(CultureInfo.InvariantCulture, $"{WaitTimes.TextOf(bucket.Minute)}-{bucket.Shard:x}");

    public static Bucket FromIndexKey(string rowKey)
    {
        var dash = rowKey.IndexOf('-', StringComparison.Ordinal);
        return new Bucket(WaitTimes.OfText(rowKey[..dash]), Convert.ToInt32(rowKey[(dash + 1)..], 16));
    }
}
