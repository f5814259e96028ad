using System.Text.Json;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>
/// The answer about one published message: an object, an array of them for a URL group, or in a batch an object with an
/// <c>error</c>.
/// </summary>
[JsonConverter(typeof(Converter))]
internal sealed record PublishAnswer(IReadOnlyList<PublishedMessage> Messages, string? Error)
{
    /// <summary>
    /// The messages as the caller sees them. Under an id the client made up only its own earlier attempt can have been taken
    /// before, so that this is no duplicate.
    /// </summary>
    public IReadOnlyList<PublishedMessage> Seen(bool idMadeUp) =>
        idMadeUp ? [.. Messages.Select(message => message with { Deduplicated = false })] : Messages;

    internal sealed class Converter : JsonConverter<PublishAnswer>
    {
        public override PublishAnswer Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var json = JsonDocument.ParseValue(ref reader);
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out var error) && !root.TryGetProperty("messageId", out _))
                return new([], error.ToString());
            var items = root.ValueKind == JsonValueKind.Array ? root.EnumerateArray().ToArray() : [root];
            return new([.. items.Select(item => item.Deserialize(WireJson.Default.PublishedMessage)
                ?? throw new JsonException("a message is null"))], null);
        }

        public override void Write(Utf8JsonWriter writer, PublishAnswer value, JsonSerializerOptions options) =>
            throw new NotSupportedException("Answers are read only.");
    }
}
