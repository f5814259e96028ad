using System.Text.Json;
using System.Text.Json.Serialization;

namespace FuncStash.Client.Tests.Recorded;

/// <summary>One call of the official SDK as record.mjs kept it.</summary>
/// <param name="Headers">Those that mean something to the service, in lower case.</param>
internal sealed record Call(
    string Name, string Method, string Target, IReadOnlyDictionary<string, string> Headers, string? Body, byte[]? BodyBase64)
{
    public static IReadOnlyList<Call> All { get; } = Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Recorded", "requests.json")));

    public byte[] Bytes => BodyBase64 ?? System.Text.Encoding.UTF8.GetBytes(Body!);

    public static IReadOnlyList<Call> Parse(string json) => JsonSerializer.Deserialize(json, CallJson.Default.IReadOnlyListCall)!;
}

internal sealed record Order(int Id, string Name);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<Call>))]
[JsonSerializable(typeof(Order))]
internal sealed partial class CallJson : JsonSerializerContext;
