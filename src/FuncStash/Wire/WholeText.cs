using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace FuncStash.Wire;

/// <summary>
/// Reads JSON of programs that cut texts within a character: JSON can escape half of a surrogate pair (RFC 8259 §8.2), which is
/// no text, and what reads it throws. Here each half is U+FFFD, as in the UTF-8 of such a text.
/// </summary>
internal static partial class WholeText
{
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json) => JsonDocument.Parse(
        json.Span.IndexOf("\\ud"u8) < 0 && json.Span.IndexOf("\\uD"u8) < 0
            ? json
            : Encoding.UTF8.GetBytes(Escape().Replace(Encoding.UTF8.GetString(json.Span), Whole)));

    private static string Whole(Match escape) => escape.Groups["half"].Success ? "\\ufffd" : escape.Value;

    // From the left, escape by escape: a backslash that is escaped itself begins none.
    [GeneratedRegex(@"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", RegexOptions.Singleline)]
    private static partial Regex Escape();
}
