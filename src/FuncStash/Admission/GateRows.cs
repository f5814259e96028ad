using System.Text.Json;
using System.Text.Json.Serialization;
using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>
/// Where gates lie: a partition each, with the state in one row, the wait list in order in others, and a row for each of
/// those in it whose place does not follow from the message (<see cref="LineOrder"/>), and for each that is expected
/// (<see cref="ExpectedLine"/>).
/// </summary>
internal static class GateRows
{
    public const string Table = "gates";
    public const string StateKey = "g", WaitPrefix = "w|", PlacePrefix = "p|", ExpectedPrefix = "d|";

    public static string Partition(GateKind kind, string name) => (kind == GateKind.Queue ? "q-" : "k-") + name;

    public static Entity ToRow(string partition, GateState state) => new(partition, StateKey, new Dictionary<string, object>
    {
        ["State"] = JsonSerializer.SerializeToUtf8Bytes(state, GateJson.Default.GateState),
    });

    public static GateState FromRow(Entity row) => JsonSerializer.Deserialize(row.Bytes("State")!, GateJson.Default.GateState)!;

    public static Entity ToRow(string partition, Candidate candidate) => new(
        partition, WaitPrefix + candidate.Order, new Dictionary<string, object>
        {
            ["Attempt"] = (long)candidate.Attempt,
            ["Ticket"] = (long)candidate.Ticket,
        });

    public static Candidate CandidateFromRow(Entity row) => new(
        LineOrder.MessageOf(row.RowKey), (int)row.Number("Attempt")!.Value, row.RowKey[WaitPrefix.Length..],
        (int)row.Number("Ticket")!.Value);

    /// <summary>Tells where a candidate stands that was moved.</summary>
    public static Entity ToPlaceRow(string partition, Candidate candidate) =>
        new(partition, PlacePrefix + candidate.Message, new Dictionary<string, object> { ["Order"] = candidate.Order });

    /// <summary>Tells that one will come to the gate when it is due.</summary>
    public static Entity ToExpectedRow(string partition, string order) => new(partition, ExpectedPrefix + order, new Dictionary<string, object>());

    /// <summary>A candidate as it stands in the wait list, at its own place or moved; null when it does not.</summary>
    /// <param name="anyMoved">Whether there are candidates that were moved.</param>
    public static async ValueTask<Candidate?> FindAsync(
        ITables tables, string partition, Candidate candidate, bool anyMoved, CancellationToken cancellation = default)
    {
        var row = await tables.GetAsync(Table, partition, WaitPrefix + candidate.Order, cancellation);
        if (row is null && anyMoved && await PlaceAsync(tables, partition, candidate.Message, cancellation) is { } order)
            row = await tables.GetAsync(Table, partition, WaitPrefix + order, cancellation);
        return row is null ? null : CandidateFromRow(row);
    }

    /// <summary>Where a message stands that was moved; null when none of it was.</summary>
    public static async ValueTask<string?> PlaceAsync(
        ITables tables, string partition, string message, CancellationToken cancellation = default) =>
        (await tables.GetAsync(Table, partition, PlacePrefix + message, cancellation))?.Text("Order");
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(GateState))]
internal sealed partial class GateJson : JsonSerializerContext;
