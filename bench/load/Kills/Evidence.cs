namespace FuncStash.Bench.Kills;

/// <summary>All that a kill run has seen; what the checks are made on. Nothing in it changes any more.</summary>
/// <param name="SettledMs">a server that lives so long has stored an outcome, and sent what was under way</param>
internal sealed record Evidence(
    IReadOnlyList<Note> Notes, IReadOnlyList<Arrival> Arrivals, IReadOnlyList<Life> Lives, Ledger Ledger,
    IReadOnlyList<ScheduleNote> Schedules, IReadOnlyList<RateReading> Rates, double SettledMs)
{
    private ILookup<int, Arrival>? _ofNote, _callbacks;
    private IReadOnlyList<Chain>? _chains;

    // A copy has something changed: it looks anew.
    private Evidence(Evidence other) =>
        (Notes, Arrivals, Lives, Ledger, Schedules, Rates, SettledMs) =
        (other.Notes, other.Arrivals, other.Lives, other.Ledger, other.Schedules, other.Rates, other.SettledMs);

    /// <summary>The attempts of a note's message, in the order of their arrival.</summary>
    public IEnumerable<Arrival> Of(Note note) =>
        (_ofNote ??= InOrder(Arrivals, Role.Message).ToLookup(a => a.Number))[note.Seq];

    /// <summary>The attempts of its callbacks, in the order of their arrival.</summary>
    public IEnumerable<Arrival> CallbacksOf(Note note) =>
        (_callbacks ??= InOrder(Arrivals, Role.Callback, Role.FailureCallback).ToLookup(a => a.Number))[note.Seq];

    /// <summary>The attempts of each message, callbacks and messages of schedules too.</summary>
    public IReadOnlyList<Chain> Chains => _chains ??=
        [.. InOrder(Arrivals, Enum.GetValues<Role>()).GroupBy(a => (a.Role, a.Number, a.Id)).Select(g => new Chain([.. g]))];

    /// <summary>The last attempt that a message's answers lead to.</summary>
    public int LastOf(Chain chain) => chain.Role switch
    {
        Role.Message => Notes[chain.Number].Last,
        Role.Scheduled => 0,
        _ => Notes[chain.Number].CallbackFails,
    };

    /// <summary>Attempts that were made twice.</summary>
    public IEnumerable<Duplicate> Duplicates => Chains.SelectMany(chain => chain.Attempts.Zip(chain.Attempts.Skip(1))
        .Where(pair => pair.First.Retried == pair.Second.Retried)
        .Select(pair => new Duplicate(pair.First, pair.Second, Lives[pair.First.Life], SettledMs)));

    private static IEnumerable<Arrival> InOrder(IReadOnlyList<Arrival> arrivals, params Role[] roles) =>
        arrivals.Where(a => roles.Contains(a.Role)).OrderBy(a => a.At);
}

/// <summary>The attempts of one message, in the order of their arrival.</summary>
internal sealed record Chain(IReadOnlyList<Arrival> Attempts)
{
    public Role Role => Attempts[0].Role;
    public int Number => Attempts[0].Number;
    public string Id => Attempts[0].Id;
}

/// <summary>An attempt that came again.</summary>
/// <param name="Life">the life of the first</param>
/// <param name="SettledMs">a server that lives so long after an answer has stored the outcome</param>
internal sealed record Duplicate(Arrival First, Arrival Second, Life Life, double SettledMs)
{
    public bool WasInFlight => First.AnsweredAt == 0 || First.AnsweredAt >= Life.KilledAt;

    /// <summary>From the answer to the kill, in milliseconds.</summary>
    public double GapMs => WasInFlight ? 0 : Life.KilledAt - First.AnsweredAt;

    /// <summary>Its server was killed before it can have written the outcome down.</summary>
    public bool IsExplained => Second.Life > First.Life && GapMs <= SettledMs;
}
