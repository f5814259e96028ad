namespace FuncStash.Infra.Check;

/// <summary>What was found: one line for each check, and whether all passed.</summary>
internal sealed class Checks
{
    private int _count;
    private int _failed;

    /// <summary>Prints "ok - NAME", or "not ok - NAME" and below it each problem.</summary>
    public void That(string name, params IEnumerable<string> problems)
    {
        var found = problems.ToList();
        _count++;
        if (found.Count == 0)
        {
            Console.WriteLine($"ok - {name}");
            return;
        }

        _failed++;
        Console.WriteLine($"not ok - {name}");
        foreach (var line in found.SelectMany(problem => problem.Split('\n')))
            Console.WriteLine($"    {line.TrimEnd()}");
    }

    /// <returns>The exit code: 0 when all passed.</returns>
    public int Finish()
    {
        Console.WriteLine(_failed == 0 ? $"infra: {_count} checks passed" : $"infra: {_failed} of {_count} checks FAILED");
        return _failed == 0 ? 0 : 1;
    }

    /// <summary>A problem when the values differ, none when they are equal.</summary>
    public static IEnumerable<string> Equal<T>(string what, T expected, T actual) =>
        EqualityComparer<T>.Default.Equals(expected, actual) ? [] : [$"{what}: expected {expected}, found {actual}"];

    /// <summary>A problem for each name that one set has and the other lacks.</summary>
    public static IEnumerable<string> Same(string left, IEnumerable<string> lefts, string right, IEnumerable<string> rights)
    {
        var (a, b) = (lefts.ToHashSet(StringComparer.Ordinal), rights.ToHashSet(StringComparer.Ordinal));
        return a.Except(b).Select(name => $"{name} is in {left}, not in {right}")
            .Concat(b.Except(a).Select(name => $"{name} is in {right}, not in {left}"));
    }
}
