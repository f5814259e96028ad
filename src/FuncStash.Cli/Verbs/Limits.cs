using System.CommandLine;

namespace FuncStash.Cli.Verbs;

/// <summary>How much of a list is shown.</summary>
internal static class Limits
{
    public static Option<int> Option() => new("--limit", "-n")
    {
        HelpName = "N", Description = "How many at most, 0 for all", DefaultValueFactory = _ => 100,
    };

    /// <summary>As many as the option says.</summary>
    public static IAsyncEnumerable<T> Limited<T>(this IAsyncEnumerable<T> items, int limit) => limit > 0 ? items.Take(limit) : items;
}
