using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FuncStash.Testing;

/// <summary>What the server answered, unread.</summary>
public sealed record WireAnswer(HttpStatusCode Status, HttpHeaders Headers, string? ContentType, string Text)
{
    /// <exception cref="JsonException">The body is no JSON.</exception>
    public JsonNode Json => JsonNode.Parse(Text)!;

    /// <summary>The text of the one string field every error body has (protocol#errors).</summary>
    public string Error
    {
        get
        {
            Assert.Equal("application/json", ContentType);
            return Json["error"]!.GetValue<string>();
        }
    }

    public override string ToString() => $"{(int)Status} {Text}";
}
