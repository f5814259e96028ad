namespace FuncStash.Wire;

/// <summary>Texts that quote what somebody sent, and so could be of any length.</summary>
internal static class ShortText
{
    /// <summary>The text, or its beginning and an ellipsis: at most so many characters.</summary>
    public static string Of(string text, int max)
    {
        if (text.Length <= max)
            return text;
        // Half a surrogate pair is no text.
        var end = char.IsHighSurrogate(text[max - 2]) ? max - 2 : max - 1;
        return string.Concat(text.AsSpan(0, end), "…");
    }
}
