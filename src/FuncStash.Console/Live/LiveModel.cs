using FuncStash.Console.Messages;
using FuncStash.Logs;

namespace FuncStash.Console.Live;

/// <param name="Search">Which events.</param>
/// <param name="Entries">The latest of them, latest first.</param>
public sealed record LiveModel(MessageSearch Search, IReadOnlyList<LogEntry> Entries);
