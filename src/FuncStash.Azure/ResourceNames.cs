using System.Text.RegularExpressions;

namespace FuncStash.Azure;

/// <summary>Names within the rules of Azure: tables are alphanumeric, queues may hold single hyphens.</summary>
internal static partial class ResourceNames
{
    private const int LongestName = 63;

    // A task hub may have the prefix for its name, and names of tables are compared without case.
    private static readonly string[] s_ofDurable = ["history", "instances", "partitions"];

    public static bool IsPrefix(string prefix) => PrefixShape().IsMatch(prefix);

    public static string Table(string prefix, string table) =>
        s_ofDurable.Contains(table)
            ? throw new ArgumentException($"Durable Functions has a table \"{table}\" in each of its hubs.")
            : Checked(prefix + table, TableShape(), "table");

    public static string Queue(string prefix, string queue) =>
        Checked($"{prefix}-{queue}", QueueShape(), "queue");

    private static string Checked(string name, Regex shape, string kind) =>
        name.Length <= LongestName && shape.IsMatch(name)
            ? name
            : throw new ArgumentException($"Azure does not allow a {kind} to be named \"{name}\".");

    [GeneratedRegex("^[a-z][a-z0-9]{2,19}$")]
    private static partial Regex PrefixShape();

    // Table names are compared without case, so one spelling only.
    [GeneratedRegex("^[a-z][a-z0-9]*$")]
    private static partial Regex TableShape();

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*$")]
    private static partial Regex QueueShape();
}
