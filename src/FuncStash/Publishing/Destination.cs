using System.Diagnostics.CodeAnalysis;
using System.Text;
using FuncStash.Wire;

namespace FuncStash.Publishing;

/// <summary>Where a message goes: one URL, the endpoints of a URL group, or the built-in LLM (contract §4.1).</summary>
public abstract record Destination
{
    private const string LlmText = "api/llm";

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
        else if (text.Length == 0)
            error = "invalid destination: it is empty, give a URL or the name of a URL group";
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
