using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace FuncStash.Wire;

/// <summary>What an <c>Upstash-Redact-Fields</c> header hides from logs and answers (protocol#redaction).</summary>
/// <param name="Body">The message's body is hidden.</param>
/// <param name="AllHeaders">The values of all headers are hidden.</param>
/// <param name="Headers">Names, in canonical form, of single headers whose values are hidden.</param>
public sealed record RedactFields(bool Body, bool AllHeaders, IReadOnlyList<string> Headers)
{
    /// <summary>Reads a comma-separated list of <c>body</c>, <c>header</c>, <c>headers</c>, <c>header[Name]</c>, <c>headers[Name]</c>.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out RedactFields? value, out string error)
    {
        value = null;
        error = "";
        bool body = false, all = false;
        var headers = new List<string>();
        foreach (var field in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (field == "body")
                body = true;
            else if (field is "header" or "headers")
                all = true;
            else if (NamedHeader(field) is not { } name)
            {
                error = $"Upstash-Redact-Fields: '{field}' should be body, header or header[Name]";
                return false;
            }
            else if (!headers.Contains(name))
                headers.Add(name);
        }

        value = new(body, all, headers);
        return true;
    }

    /// <summary><c>REDACTED:</c> and the SHA-256 of the value in lower-case hex: equal values stay recognisable.</summary>
    public static string Redacted(ReadOnlySpan<byte> value) =>
        "REDACTED:" + Convert.ToHexStringLower(SHA256.HashData(value));

    /// <summary>The header's value, or its redaction where this header is hidden; names compare without case.</summary>
    public string Header(string name, string value) =>
        AllHeaders || Headers.Contains(HeaderName.Canonical(name)) ? Redacted(HeaderValue.ToBytes(value)) : value;

    private static string? NamedHeader(string field)
    {
        var open = field.IndexOf('[', StringComparison.Ordinal);
        if (open < 0 || field[..open] is not ("header" or "headers") || field[^1] != ']')
            return null;
        var name = field[(open + 1)..^1].Trim();
        return HeaderName.IsValid(name) ? HeaderName.Canonical(name) : null;
    }
}
