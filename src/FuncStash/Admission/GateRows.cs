using System.Text.Json;
using System.Text.Json.Serialization;
using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>Where gates lie: a partition each, with the state in one row and the wait list in order in others.</summary>
internal static class GateRows
{
    public const string Table = "gates";
    public const string StateKey = "g", WaitPrefix = "w|";

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
        row.RowKey[(row.RowKey.LastIndexOf('|') + 1)..], (int)row.Number("Attempt")!.Value, row.RowKey[WaitPrefix.Length..],
        (int)row.Number("Ticket")!.Value);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(GateState))]
internal sealed partial class GateJson : JsonSerializerContext;
