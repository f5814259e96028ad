using System.Text;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>A message that has failed for good.</summary>
public sealed record DlqMessage : QStashMessage
{
    /// <summary>Its id in the dead letter queue, such as <c>1725323658779-0</c>.</summary>
    public string DlqId { get; init; } = "";

    /// <summary>The HTTP status of the last attempt; 0 when there was no answer.</summary>
    public int ResponseStatus { get; init; }

    /// <summary>The headers of the last answer.</summary>
    [JsonPropertyName("responseHeader"), JsonConverter(typeof(HeaderMapConverter))]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? ResponseHeaders { get; init; }

    /// <summary>The body of the last answer where it is UTF-8 text; null when it is empty or no text.</summary>
    public string? ResponseBody { get; init; }

    /// <summary>The body of the last answer where it is not UTF-8 text; null otherwise.</summary>
    public byte[]? ResponseBodyBase64 { get; init; }

    /// <summary>The bytes of the last answer's body, whatever they are; empty where there is none.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> ResponseBodyBytes => ResponseBodyBase64 ?? Encoding.UTF8.GetBytes(ResponseBody ?? "");

    /// <summary>Why there was no answer, where there was none.</summary>
    public string? Error { get; init; }
}
