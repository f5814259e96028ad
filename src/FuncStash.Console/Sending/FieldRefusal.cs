namespace FuncStash.Console.Sending;

/// <summary>A refusal of the service, and the field that it is about.</summary>
/// <param name="Field">The name of the field; empty where it is about none in particular.</param>
/// <param name="Text">The refusal in the service's words.</param>
public sealed record FieldRefusal(string Field, string Text)
{
    // What a refusal without a header's name begins with, or has in it.
    private static readonly (string Words, string Field)[] s_words =
    [
        ("cron expression", "Upstash-Cron"), ("retry delay", "Upstash-Retry-Delay"), ("flow control", "Upstash-Flow-Control-Value"), ("redact", "Upstash-Redact-Fields"),
        ("queue", "queue"), ("header name", "headers"), ("line of headers", "headers"), ("line of more", "more"), ("destination", "destination"), ("topic", "destination"),
        ("api/llm", "destination"), ("message is too big", "body"), ("payload", "body"), ("settings of the message are too big", "headers"),
    ];

    /// <summary>The field that a refusal names first.</summary>
    public static FieldRefusal Of(string refusal)
    {
        if (refusal.Contains("Upstash-Forward-", StringComparison.OrdinalIgnoreCase))
            return new FieldRefusal("headers", refusal);
        var named = SendOptions.Names.Select(name => (Name: name, At: refusal.IndexOf(name, StringComparison.OrdinalIgnoreCase)))
            .Where(found => found.At >= 0).OrderBy(found => found.At).ThenByDescending(found => found.Name.Length).FirstOrDefault();
        if (named.Name is { } name)
            return new FieldRefusal(IsOfCallback(refusal, name, named.At) ? "more" : name, refusal);
        var words = s_words.FirstOrDefault(pair => refusal.Contains(pair.Words, StringComparison.OrdinalIgnoreCase));
        return new FieldRefusal(words.Field ?? "", refusal);
    }

    // "Upstash-Callback: invalid Upstash-Retries …" and "invalid Upstash-Callback-Cron …" are about a callback's own settings.
    private static bool IsOfCallback(string refusal, string name, int at) =>
        name.EndsWith("-Callback", StringComparison.Ordinal) && (at == 0 || refusal.AsSpan(at + name.Length).StartsWith("-"));
}
