namespace FuncStash.Cli.Terminals;

/// <summary>Texts of strangers, made fit for a terminal.</summary>
internal static class PlainText
{
    /// <summary>On one line, and without control characters: what a destination answered must not move the cursor or change colours.</summary>
    public static string Of(string? text) =>
        text is null ? "" : text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text;

    /// <summary>The beginning of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="most">How many characters at most.</param>
    public static string Start(string? text, int most) => Of(text) is { } line && line.Length > most ? line[..(most - 1)] + "…" : Of(text);
}
