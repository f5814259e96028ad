namespace FuncStash.Admission;

/// <summary>Who is in a gate, and who comes next.</summary>
/// <param name="Waiting">How many wait in line.</param>
/// <param name="InFlight">How many are in.</param>
/// <param name="Inside">The ids of the messages that are in, as many as were asked for.</param>
/// <param name="Next">The ids of those that come next, in order, as many as were asked for.</param>
/// <param name="OldestDueAt">When the first in line was due, in unix milliseconds; null when nobody waits.</param>
/// <param name="PausedAt">Since when nobody is let in, in unix milliseconds; null when somebody may be, and where it was not noted.</param>
public sealed record GateLine(
    int Waiting, int InFlight, IReadOnlyList<string> Inside, IReadOnlyList<string> Next, long? OldestDueAt, long? PausedAt);
