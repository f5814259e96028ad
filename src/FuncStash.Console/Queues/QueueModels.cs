using FuncStash.Admission;
using FuncStash.Console.Parts;
using FuncStash.Messages;
using FuncStash.Queues;

namespace FuncStash.Console.Queues;

/// <param name="Search">What was asked for.</param>
/// <param name="Page">The queues, each with its line.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
/// <param name="Refused">The form for a queue, where it was refused.</param>
public sealed record QueueListModel(ListSearch Search, ListPart<(QueueInfo Queue, GateLine? Line)> Page, string? Done, RefusedForm? Refused);

/// <param name="Queue">The queue.</param>
/// <param name="Line">How many are in it and wait.</param>
/// <param name="Inside">The messages that are in, the first of them.</param>
/// <param name="Next">Those that come next.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
/// <param name="Refused">The form for its parallelism, where it was refused.</param>
public sealed record QueueModel(
    QueueInfo Queue, GateLine Line, IReadOnlyList<StoredMessage> Inside, IReadOnlyList<StoredMessage> Next, string? Done, RefusedForm? Refused);
