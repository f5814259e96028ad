using FuncStash.Console.Parts;
using FuncStash.Logs;
using FuncStash.UrlGroups;
using FuncStash.Wire;

namespace FuncStash.Console.UrlGroups;

/// <param name="Search">What was asked for.</param>
/// <param name="Page">The groups.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
/// <param name="Refused">The form for a group, where it was refused.</param>
public sealed record UrlGroupListModel(ListSearch Search, ListPart<UrlGroup> Page, string? Done, RefusedForm? Refused);

/// <param name="Group">The group.</param>
/// <param name="Endpoints">Its endpoints, the first of them, each with its latest attempt, where one was found.</param>
/// <param name="Adding">What was last typed in to be added, and why that was refused.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
public sealed record UrlGroupModel(
    UrlGroup Group, IReadOnlyList<(Endpoint Endpoint, LogEntry? Last)> Endpoints, EndpointForm Adding, string? Done)
{
    /// <summary>So many endpoints are shown.</summary>
    public const int Shown = 200;

    public HeaderMap Defaults => Group.Headers;
}

/// <summary>A form for an endpoint, with what was typed in before.</summary>
/// <param name="Error">Why it was refused; null when it was not.</param>
public sealed record EndpointForm(string Name, string Url, string? Error);
