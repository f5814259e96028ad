using FuncStash.Admission;
using FuncStash.Console.Parts;
using FuncStash.FlowControl;
using FuncStash.Messages;

namespace FuncStash.Console.FlowKeys;

/// <param name="Search">What was asked for.</param>
/// <param name="Page">The keys, each with its line.</param>
public sealed record FlowKeyListModel(ListSearch Search, ListPart<(FlowControlInfo Key, GateLine? Line)> Page);

/// <param name="Key">The key.</param>
/// <param name="Line">How many are in and wait.</param>
/// <param name="Inside">The messages that are in, the first of them.</param>
/// <param name="Next">Those that come next.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
/// <param name="Refused">The form for its limits, where it was refused.</param>
public sealed record FlowKeyModel(
    FlowControlInfo Key, GateLine Line, IReadOnlyList<StoredMessage> Inside, IReadOnlyList<StoredMessage> Next, string? Done, RefusedForm? Refused);
