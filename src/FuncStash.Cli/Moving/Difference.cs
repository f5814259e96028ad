namespace FuncStash.Cli.Moving;

/// <summary>What is to be done so that a service has all that an inventory says. What else the service has stays.</summary>
/// <param name="Changes">What is to change, in the order in which it can: schedules may need what comes before them.</param>
/// <param name="Same">How many things are as they are to be.</param>
internal sealed record Difference(IReadOnlyList<Change> Changes, int Same)
{
    /// <summary>Compares two canonical inventories.</summary>
    /// <param name="wanted">What there is to be.</param>
    /// <param name="actual">What there is.</param>
    public static Difference Between(Inventory wanted, Inventory actual)
    {
        Change?[] all =
        [
            .. Pairs(wanted.Queues, actual.Queues, q => q.Name).Select(p => Change.Between(p.Wanted, p.Actual, f => new Change.OfQueue(p.Wanted, p.Actual is null, f))),
            .. Pairs(wanted.FlowControl, actual.FlowControl, k => k.Key).Select(p => Change.Between(p.Wanted, p.Actual, f => new Change.OfFlowControl(p.Wanted, p.Actual, f))),
            .. Pairs(wanted.UrlGroups, actual.UrlGroups, g => g.Name).Select(p => Change.Between(p.Wanted, p.Actual, f => new Change.OfUrlGroup(p.Wanted, p.Actual is null, f))),
            .. Pairs(wanted.Schedules, actual.Schedules, s => s.Id).Select(p => Change.Between(p.Wanted, p.Actual, f => new Change.OfSchedule(p.Wanted, p.Actual, f))),
        ];
        return new Difference([.. all.OfType<Change>()], all.Count(change => change is null));
    }

    private static IEnumerable<(T Wanted, T? Actual)> Pairs<T>(List<T> wanted, List<T> actual, Func<T, string> name)
        where T : class
    {
        var there = actual.ToDictionary(name, StringComparer.Ordinal);
        return wanted.Select(item => (item, there.GetValueOrDefault(name(item))));
    }
}
