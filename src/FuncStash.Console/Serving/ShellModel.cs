using FuncStash.Console.Access;

namespace FuncStash.Console.Serving;

/// <summary>What stands around a page.</summary>
/// <param name="View">The page.</param>
/// <param name="Session">Who looks at it.</param>
/// <param name="Base">The way from its address to <c>/console/</c>.</param>
/// <param name="Path">The path of its address, as it was sent.</param>
/// <param name="Here">The way from <paramref name="Base"/> back to it, its query included.</param>
/// <param name="Now">Unix milliseconds.</param>
/// <param name="IsAnswer">Whether it answers a form, so that its address may be one that shows nothing.</param>
public sealed record ShellModel(PageResult.View View, Session Session, string Base, string Path, string Here, long Now, bool IsAnswer);

/// <summary>A place to go to.</summary>
/// <param name="Path">Below <c>/console/</c>.</param>
/// <param name="Group">The heading it stands under.</param>
public sealed record Place(string Path, string Name, string Group)
{
    public static readonly IReadOnlyList<Place> All =
    [
        new("", "Overview", "Watch"),
        new("messages", "Messages", "Watch"),
        new("dead-letters", "Dead letters", "Watch"),
        new("workflows", "Workflow runs", "Watch"),
        new("live", "Live", "Watch"),
        new("send", "Send", "Plan") { Acts = true },
        new("schedules", "Schedules", "Plan"),
        new("url-groups", "URL groups", "Plan"),
        new("queues", "Queues", "Flow"),
        new("flow-control", "Flow control", "Flow"),
        new("settings", "Keys and settings", "Service"),
    ];

    /// <summary>Whether it is of no use to who may only look.</summary>
    public bool Acts { get; init; }

    /// <summary>Whether an address lies in this place.</summary>
    public bool Holds(string path)
    {
        var rest = path.Length > "/console/".Length ? path["/console/".Length..] : "";
        return Path.Length == 0 ? rest.Length == 0
            : rest.Equals(Path, StringComparison.OrdinalIgnoreCase) || rest.StartsWith(Path + "/", StringComparison.OrdinalIgnoreCase);
    }
}
