using System.Diagnostics.CodeAnalysis;
using System.Text;
using FuncStash.Wire;

namespace FuncStash.Publishing;

/// <summary>Where a message goes: one URL, the endpoints of a URL group, or the built-in LLM (protocol#destinations).</summary>
public abstract record Destination
{
    private const string LlmText = "api/llm";

    /// <summary>The refusal of a publish that says nowhere where to, in the words that older clients look for.</summary>
    public const string Missing = "a non-empty destination must be provided";

    private Destination()
    {
    }

    /// <summary>One http or https URL, exactly as given.</summary>
    public sealed record Url(string Text) : Destination;

    /// <summary>All endpoints of the URL group of that name.</summary>
    public sealed record Group(string Name) : Destination;

    /// <summary>The legacy destination <c>api/llm</c>.</summary>
    public sealed record Llm : Destination;

    /// <summary>Reads a destination; <paramref name="error"/> is a sentence for the caller, empty on success.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Destination? value, out string error)
    {
        value = null;
        error = "";
        if (text == LlmText)
            value = new Llm();
        else if (ResourceName.IsValid(text))
            value = new Group(text);
        else if (string.IsNullOrWhiteSpace(text))
            error = Missing;
        else if (!LooksLikeUrl(text))
            error = $"invalid destination: a URL group's name is {ResourceName.Rule}";
        else if (HttpUrl.IsValid(text, out var reason))
            value = new Url(text);
        else
            error = $"invalid destination url: {reason}";
        return value is not null;
    }

    private static bool LooksLikeUrl(string text) => text.AsSpan().ContainsAny(":/?");
}
