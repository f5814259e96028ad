using System.Security.Cryptography;
using System.Text;
using FuncStash.Console.Serving;
using FuncStash.Publishing;

namespace FuncStash.Console.Sending;

/// <summary>
/// The name that a form has of its own, so that one that is sent twice does what it says once: by a double click, or by
/// going back and sending it again, also where no script runs.
/// </summary>
internal static class Once
{
    /// <summary>What the field is called, and the parameter of an address that a form comes from.</summary>
    public const string Name = "form";

    private const int Length = 22;

    public static string New() => RandomNumberGenerator.GetString("0123456789abcdefghijklmnopqrstuvwxyz", Length);

    /// <summary>The name, where this can be one; null otherwise.</summary>
    public static string? Checked(string? name) => name is { Length: Length } && name.All(char.IsAsciiLetterOrDigit) ? name : null;

    /// <summary>Where the answer to a form leads that sent something: to its message, or where there are several to a page that has them.</summary>
    /// <param name="sent">What was sent.</param>
    /// <param name="others">The page of several, below <c>/console/</c>.</param>
    /// <param name="hasOwnId">Whether it brought a deduplication id of its own, which counts instead of the form.</param>
    public static PageResult.Redirect After(PublishResult sent, string others, bool hasOwnId = false)
    {
        var one = sent is { IsGroup: false, Messages: [var single] } ? single : null;
        var done = sent.Messages.Count == 0 || sent.Messages.Any(message => !message.Deduplicated) ? "sent"
            : hasOwnId ? "duplicate"
            : one is null ? "sent-before-to-many" : "sent-before";
        var page = one is null ? others : $"messages/{one.Id.Text}";
        return new PageResult.Redirect($"{page}{(page.Contains('?', StringComparison.Ordinal) ? '&' : '?')}done={done}");
    }

    /// <summary>What a form asks for, by its name; null for one that has none.</summary>
    /// <param name="call">The form as it was sent.</param>
    /// <param name="what">What it is about, so that the same name elsewhere is another one.</param>
    public static string? Of(ConsoleCall call, string what) => Checked(call.Field(Name)) is { } name ? $"{name}|{what}" : null;

    /// <summary>The same for what is typed in: one that says something else than before asks for something else.</summary>
    public static string? Of(SendForm form, byte[] body)
    {
        if (form.Name is not { } name)
            return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in (string[])[form.Mode.ToString(), form.Destination, form.Queue, .. form.ToHeaders().Select(header => $"{header.Name}: {header.Value}")])
        {
            // No field has a NUL within, but what was made by hand; that one harms only itself.
            hash.AppendData(Encoding.UTF8.GetBytes(part + "\0"));
        }
        hash.AppendData(body);
        return $"{name}|send|{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }
}
