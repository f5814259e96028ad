using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.Testing;

/// <summary>A request as it came over the wire.</summary>
/// <param name="Target">The raw request target: path and query, byte for byte.</param>
/// <param name="Headers">Lower-case names; a repeated header is there as often as it came. Values in Latin-1: a character a byte.</param>
public sealed record ReceivedRequest(
    string Method, string Target, ILookup<string, string> Headers, byte[] Body, DateTimeOffset At)
{
    public string Path => Target.Split('?')[0];

    public string Text => Encoding.UTF8.GetString(Body);

    public JsonNode Json => JsonNode.Parse(Body) ?? throw new FormatException("a JSON null was delivered");

    public string MessageId => Header("upstash-message-id") ?? throw new KeyNotFoundException("no Upstash-Message-Id");

    public string Signature => Header("upstash-signature") ?? throw new KeyNotFoundException("no Upstash-Signature");

    public override string ToString() => $"{Method} {Target} at {At:O}";

    /// <summary>The value of a header that may be there once; null when it is not.</summary>
    public string? Header(string lowerCaseName) => Headers[lowerCaseName].SingleOrDefault();
}
