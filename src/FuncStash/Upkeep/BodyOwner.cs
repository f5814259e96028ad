using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Schedules;
using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>Whose rows may name a payload, as its own name tells.</summary>
internal abstract record BodyOwner
{
    private BodyOwner()
    {
    }

    public sealed record OfMessage(MessageId Id) : BodyOwner;

    public sealed record OfLetter(DlqId Id) : BodyOwner;

    public sealed record OfRun(MessageId Key) : BodyOwner;

    /// <summary>One of the schedules: they are few, and all are asked.</summary>
    public sealed record OfSchedules : BodyOwner
    {
        public static readonly OfSchedules All = new();
    }

    /// <summary>
    /// Null for a name that tells nothing: one that a workflow run of an earlier version gave, which has no key in it, or one that
    /// is not of this program. Such a payload stays for ever.
    /// </summary>
    public static BodyOwner? Of(string name)
    {
        // A version of a schedule looks like anything.
        if (name.StartsWith(ScheduleStore.BodyPrefix, StringComparison.Ordinal))
            return OfSchedules.All;
        var owner = BodyName.OwnerOf(name);
        if (owner.StartsWith(DeadLetterStore.BodyPrefix, StringComparison.Ordinal))
            return DlqId.TryParse(owner[DeadLetterStore.BodyPrefix.Length..], out var letter) ? new OfLetter(letter) : null;
        if (owner.StartsWith(RunStore.BodyPrefix, StringComparison.Ordinal))
            return MessageId.TryParse(owner[RunStore.BodyPrefix.Length..], out var key) ? new OfRun(key) : null;
        return MessageId.TryParse(owner, out var id) ? new OfMessage(id) : null;
    }
}
