using System.CommandLine;

namespace FuncStash.Cli.Verbs;

/// <summary>How much of a list is shown.</summary>
internal static class Limits
{
    public static Option<int> Option() => WholeNumbers.Option("--limit", "How many at most, 0 for all", without: 100, least: 0, "-n");

    /// <summary>As many as the option says.</summary>
    public static IAsyncEnumerable<T> Limited<T>(this IAsyncEnumerable<T> items, int limit) => limit > 0 ? items.Take(limit) : items;
}
