using CsCheck;

namespace FuncStash.Tests.Fuzzing;

/// <summary>Texts near the ones that a reader knows: examples, cut, doubled, spliced and sprinkled with what readers stumble over.</summary>
internal static class FuzzText
{
    private static readonly string[] s_pieces =
    [
        "", " ", "\t", "\r\n", "\0", "\u007f", "\u0080", "\u0085", "é", "ß", "中", "\ud83d\ude00", "\ud800", "\udc00", "\ufeff", "\u202e",
        "%", "%0", "%00", "%2F", "%zz", "%E9", "%C3%A9", "+", "-", "--", "*", "/", "//", "\\", ":", "::", ";", ",", ",,", ".", "..", "?", "#", "&", "=", "@",
        "[", "]", "{", "}", "(", ")", "((((((((", "\"", "'", "<", ">", "|", "^", "~", "`", "$", "_",
        "0", "00", "1", "-1", "9", "60", "90", "0.5", "1e9", "1e999", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808",
        "18446744073709551616", "99999999999999999999999999999999999999999", "1d1h1m1s", "1y", "NaN", "Infinity", "null", "true", "false", "retried", "pow(",
        "http://", "https://", "HTTP://a", "http://[::1]:99999/", "http://a@b", "file:///", "api/llm", "CRON_TZ=Europe/Berlin ", "TZ=", "@every ", "@daily", "W", "L",
        "msg_", "dlq_", "scd_", "body", "header[", "Upstash-", "Upstash-Callback-", "Upstash-Forward-", "rate=", "parallelism=", "period=", "..%2f",
        new('a', 300), new('9', 300), new('(', 100),
    ];

    private static readonly Gen<string> s_piece = Gen.OneOf(
        Gen.OneOf(s_pieces), Gen.Char.Select(c => c.ToString()), Gen.Char['!', '~'].Select(c => c.ToString()));

    private static readonly Gen<(int Kind, double From, double To, string Piece)> s_change =
        Gen.Select(Gen.Int[0, 4], Gen.Double.Unit, Gen.Double.Unit, s_piece);

    private static readonly Gen<string> s_noise = s_piece.Array[0, 8].Select(string.Concat);

    /// <summary>An example as it is, one that was changed in up to four places, or noise.</summary>
    public static Gen<string> Near(params string[] examples) => Gen.Frequency(
        (2, Gen.OneOf(examples)),
        (7, Gen.Select(Gen.OneOf(examples), s_change.Array[1, 4], (text, changes) => changes.Aggregate(text, Change))),
        (1, s_noise));

    private static string Change(string text, (int Kind, double From, double To, string Piece) change)
    {
        var (a, b) = ((int)(change.From * (text.Length + 1)), (int)(change.To * (text.Length + 1)));
        var (from, to) = (Math.Min(a, b), Math.Max(a, b));
        var changed = change.Kind switch
        {
            0 => text.Insert(from, change.Piece),
            1 => text.Remove(from, to - from),
            2 => text.Insert(to, text[from..to]),
            3 => text[..from] + change.Piece + text[to..],
            _ => text[from..] + text[..from],
        };
        return changed.Length > 4_000 ? changed[..4_000] : changed;
    }
}
