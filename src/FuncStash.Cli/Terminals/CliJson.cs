using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using FuncStash.Cli.Moving;
using FuncStash.Cli.Verbs;

namespace FuncStash.Cli.Terminals;

/// <summary>What the command itself writes as JSON. Generated, so that nothing is found by reflection; a type that is not named here cannot be written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Inventory))]
[JsonSerializable(typeof(ChangeNote))]
[JsonSerializable(typeof(SignatureNote))]
[JsonSerializable(typeof(Dictionary<string, int>))]
[JsonSerializable(typeof(Dictionary<string, bool>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class CliJson : JsonSerializerContext;

/// <summary>A difference, for programs.</summary>
internal sealed record ChangeNote(string Kind, string Name, string Change, IReadOnlyDictionary<string, FieldNote> Fields);

/// <summary>What a field says now and is to say.</summary>
internal sealed record FieldNote(JsonNode? From, JsonNode? To);
