using FuncStash.Wire;

namespace FuncStash.Headers;

/// <summary>Names of settings that are for a callback, or a callback's callback: each stands behind the callback's own name (protocol#callback-settings).</summary>
internal static class NestedNames
{
    /// <summary>The name of the header that a setting sends on, to the destination or to a callback; null for any other setting.</summary>
    public static string? ForwardedBy(string name)
    {
        name = InnermostOf(name);
        return name.StartsWith(HeaderTable.ForwardPrefix, StringComparison.OrdinalIgnoreCase) ? name[HeaderTable.ForwardPrefix.Length..] : null;
    }

    /// <summary>The setting of a publish that a header is for the callback, or the callback's callback, which it is about; else the name itself.</summary>
    public static string InnermostOf(string name)
    {
        var at = HeaderTable.Prefix.Length;
        while (HeaderTable.Callbacks.FirstOrDefault(callback => callback.IsAt(name, at)) is { } callback)
            at += callback.Name.Length - HeaderTable.Prefix.Length + 1;
        return at == HeaderTable.Prefix.Length || !name.StartsWith(HeaderTable.Prefix, StringComparison.OrdinalIgnoreCase) ? name : HeaderName.Canonical(HeaderTable.Prefix + name[at..]);
    }

    /// <summary>The first of a callback's settings, or of its own callbacks', that is one of these for them: its name in the publish; null for none.</summary>
    public static string? FindInnermost(string callback, HeaderMap settings, params ReadOnlySpan<string> names)
    {
        foreach (var (name, _) in settings)
        {
            if (names.Contains(InnermostOf(name)))
                return callback + name[(HeaderTable.Prefix.Length - 1)..];
        }
        return null;
    }
}
