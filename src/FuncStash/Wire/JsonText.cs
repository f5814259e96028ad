using System.Text.Encodings.Web;
using System.Text.Json;

namespace FuncStash.Wire;

/// <summary>How the service writes JSON: no HTML reads it, so "+", "&amp;" and letters of any language stay as they are.</summary>
internal static class JsonText
{
    public static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The same for what is stored: six bytes for one character would make records too big that are not.</summary>
    public static JsonSerializerOptions Plain(JsonSerializerOptions options) => new(options) { Encoder = Options.Encoder };
}
