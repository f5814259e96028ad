using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Wire;

namespace FuncStash.Schedules;

/// <summary>Where schedules lie in the table, and how they become rows.</summary>
/// <remarks>
/// A schedule's id decides its partition. In it: <c>s|id</c> the schedules, <c>d|time|id</c> the due index, in the order
/// of the next run. A row and its index entry change in one commit.
/// </remarks>
internal static class ScheduleRows
{
    public const string Table = "schedules";
    public const string Row = "s|", Due = "d|";

    /// <summary>How many partitions share the schedules.</summary>
    public const int Shards = 4;

    /// <summary>What a list shows of a schedule.</summary>
    public static readonly IReadOnlyList<string> Listed = ["Version", "Spec", "Paused", "Deleting", "NextAt", "LastAt", "Error"];

    public static string Partition(string id) => Partition(SHA256.HashData(Encoding.UTF8.GetBytes(id))[0] % Shards);

    public static string Partition(int shard) => string.Create(CultureInfo.InvariantCulture, $"schedules-{shard}");

    public static string Key(string id) => Row + id;

    public static string DueKey(long at, string id) => DueAt(at) + "|" + id;

    /// <summary>The index entries of earlier times sort before this, those of this time and later ones after it.</summary>
    public static string DueAt(long at) => string.Create(CultureInfo.InvariantCulture, $"{Due}{at:D13}");

    public static (long At, string Id) FromDueKey(string key) =>
        (long.Parse(key.AsSpan(Due.Length, 13), CultureInfo.InvariantCulture), key[(Due.Length + 14)..]);

    public static Entity DueRow(long at, string id) =>
        new(Partition(id), DueKey(at, id), new Dictionary<string, object>());

    public static Entity ToRow(Schedule schedule)
    {
        var values = new Dictionary<string, object>(10)
        {
            ["Version"] = schedule.Version,
            ["Spec"] = Write(schedule.Spec),
            ["Body"] = schedule.Body,
            ["Paused"] = schedule.Paused,
        };
        if (schedule.Deleting)
            values["Deleting"] = true;
        if (schedule.NextAt is { } next)
            values["NextAt"] = next;
        if (schedule.LastAt is { } last)
            values["LastAt"] = last;
        if (schedule.LastMessages.Count > 0)
            values["LastMessages"] = ToBytes(schedule.LastMessages);
        if (schedule.Error is { } error)
            values["Error"] = error;
        if (schedule.Claim is { } claim)
        {
            values["ClaimToken"] = claim.Token;
            values["ClaimVersion"] = claim.Version;
            values["ClaimOccurrence"] = claim.Occurrence;
            values["ClaimAt"] = claim.At;
            values["ClaimMessages"] = ToBytes(claim.Messages);
        }
        return new Entity(Partition(schedule.Id), Key(schedule.Id), values);
    }

    /// <summary>Refuses a spec that would leave no room in its row for the payload and the messages of an occurrence.</summary>
    /// <exception cref="QStashException">413.</exception>
    public static void Check(ScheduleSpec spec)
    {
        if (Write(spec).Length is var bytes && bytes > MessageRows.MaxSpecBytes)
            throw new QStashException(413, $"the schedule is too big: {bytes} bytes without its body as it is stored, at most {MessageRows.MaxSpecBytes}");
    }

    private static byte[] Write(ScheduleSpec spec) => JsonSerializer.SerializeToUtf8Bytes(spec, ScheduleJson.Plain.ScheduleSpec);

    /// <summary>A schedule of whose row only the spec was read.</summary>
    public static ListedSchedule ListedFromRow(Entity row)
    {
        var spec = JsonSerializer.Deserialize(row.Bytes("Spec")!, ScheduleJson.Default.ScheduleSpec)!;
        return new ListedSchedule(row.RowKey[Row.Length..], spec.CreatedAt, spec.BodySize ?? MessageRows.InlineBodyBytes);
    }

    /// <summary>The payload that a schedule names, of whose row only the spec was read.</summary>
    public static string? BodyNameOf(Entity row) =>
        JsonSerializer.Deserialize(row.Bytes("Spec")!, ScheduleJson.Default.ScheduleSpec)!.BodyName;

    public static Schedule FromRow(Entity row)
    {
        var spec = JsonSerializer.Deserialize(row.Bytes("Spec")!, ScheduleJson.Default.ScheduleSpec)!;
        return new Schedule(row.RowKey[Row.Length..], row.Text("Version")!, spec)
        {
            Body = row.Bytes("Body") ?? [],
            Paused = row.Flag("Paused"),
            Deleting = row.Flag("Deleting"),
            NextAt = row.Number("NextAt"),
            LastAt = row.Number("LastAt"),
            LastMessages = FromBytes(row.Bytes("LastMessages")),
            Error = row.Text("Error"),
            Claim = row.Text("ClaimToken") is { } token
                ? new Claim(token, row.Text("ClaimVersion")!, row.Number("ClaimOccurrence")!.Value,
                    row.Number("ClaimAt")!.Value, FromBytes(row.Bytes("ClaimMessages")))
                : null,
            ETag = row.ETag,
        };
    }

    // Bytes, because a text holds no more than some thousand ids.
    private static byte[] ToBytes(IReadOnlyList<MessageId> ids) => Encoding.ASCII.GetBytes(string.Join(',', ids));

    private static MessageId[] FromBytes(byte[]? bytes) =>
        bytes is not { Length: > 0 } ? [] : Array.ConvertAll(Encoding.ASCII.GetString(bytes).Split(','), MessageId.Parse);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScheduleSpec))]
internal sealed partial class ScheduleJson : JsonSerializerContext
{
    public static ScheduleJson Plain => field ??= new(JsonText.Plain(Default.Options));
}
