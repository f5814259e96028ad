namespace FuncStash.Admission;

/// <summary>One thing that happens at a gate. Those that come while a commit is under way go into the next one together.</summary>
internal abstract class GateOperation
{
    private readonly TaskCompletionSource<bool> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>False for what means nothing to a gate that is not there, so that a late step does not bring back a deleted queue.</summary>
    public virtual bool Creates => true;

    /// <summary>True once the operation stands; for a <see cref="Join"/>, whether the candidate was admitted.</summary>
    public Task<bool> Done => _done.Task;

    public void Complete(bool result) => _done.TrySetResult(result);

    public void Fail(Exception error) => _done.TrySetException(error);

    /// <summary>Changes the state; the wait list is the gate's own affair.</summary>
    public sealed class Change(Func<GateState, GateState> change, bool creates) : GateOperation
    {
        public Func<GateState, GateState> Apply { get; } = change;

        public override bool Creates => creates;

        /// <summary>Only has a look whether somebody may go in.</summary>
        public static Change Nothing() => new(static state => state, creates: false);
    }

    /// <summary>Asks for admission.</summary>
    /// <param name="candidate">Who.</param>
    /// <param name="announce">True to send its delivery on its way when it is admitted; false when a worker waits for the answer.</param>
    /// <param name="isNew">True for a message that was just made and so cannot be in the wait list yet.</param>
    /// <param name="limits">A change of the gate's limits that comes with it.</param>
    /// <param name="creates">False where the gate must be there already: a queue that is not was deleted.</param>
    /// <param name="createdAt">When the gate must have been created, in unix milliseconds: another one of its name is not it; null for any.</param>
    public sealed class Join(
        Candidate candidate, bool announce, bool isNew, Func<GateState, GateState>? limits, bool creates = true, long? createdAt = null)
        : GateOperation
    {
        public override bool Creates => creates;

        /// <summary>True when the gate was not there, or another one of its name, and the candidate is neither in nor in line.</summary>
        public bool FoundNone { get; set; }

        /// <summary>Whether the gate was told that the candidate would come (<see cref="Expect"/>).</summary>
        public bool WasExpected => createdAt is not null;

        /// <summary>Whether a gate that is there is the one that is meant.</summary>
        public bool Means(GateState state) => state.IsOf(createdAt);

        public Candidate Candidate { get; } = candidate;

        /// <summary>
        /// True for one that gets in line behind all who wait, as a message does that is accepted now; false for one that stands
        /// where the time it was due puts it.
        /// </summary>
        public bool Last { get; init; }

        /// <summary>The candidate at the place it was given.</summary>
        public Candidate Placed { get; set; } = candidate;

        public bool Announce { get; } = announce;

        public Func<GateState, GateState>? Limits { get; } = limits;

        public bool IsNew { get; } = isNew;

        public bool Admitted { get; set; }

        /// <summary>True when the candidate was inside before, so that this sent nothing on its way.</summary>
        public bool WasInside { get; set; }
    }

    /// <summary>Notes a message that is delayed: it will ask for admission when it is due.</summary>
    /// <param name="order">Its place in the wait list.</param>
    public sealed class Expect(string order) : GateOperation
    {
        public string Order { get; } = order;

        /// <summary>When the gate was created that noted it, in unix milliseconds.</summary>
        public long CreatedAt { get; set; }
    }

    /// <summary>Takes back what an <see cref="Expect"/> of the same place said.</summary>
    /// <param name="order">The place in the wait list.</param>
    public sealed class Unexpect(string order) : GateOperation
    {
        public string Order { get; } = order;

        public override bool Creates => false;
    }

    /// <summary>Takes a candidate out of the wait list; one that is inside already goes on.</summary>
    public sealed class Withdraw(Candidate candidate) : GateOperation
    {
        public Candidate Candidate { get; } = candidate;

        public override bool Creates => false;
    }
}
