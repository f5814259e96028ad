using FuncStash.Messages;
using FuncStash.Sqlite;
using FuncStash.Storage;

namespace FuncStash.Server;

/// <summary>
/// Holds back for a moment, right after a start, what the process before may have been delivering to endpoints of workflows.
/// </summary>
/// <remarks>
/// An endpoint whose step has run goes on submitting the result while nobody listens: the SDK's client tries six times, the
/// last 4.3 seconds after the first. Delivered again at once, the step would run again beside that. On Azure nothing is needed: the
/// leases of a process that died hold its messages back for longer.
/// </remarks>
internal sealed class RunPatience(IStore store, TimeProvider time)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private readonly DateTimeOffset _born = time.GetUtcNow();

    private DateTimeOffset? _until;

    /// <summary>The server listens from now on.</summary>
    public void Listens() => _until = time.GetUtcNow() + s_patience;

    /// <summary>How long a work-queue message is to wait; nothing for all but what runs had under way before the start.</summary>
    public TimeSpan Of(string text) =>
        store is SqliteStore && _until - time.GetUtcNow() is { } rest && rest > TimeSpan.Zero
        && WorkItem.Parse(text) is WorkItem.Deliver { Ticket.Id: { IsOfRun: true } id } && id.CreatedAt < _born.ToUnixTimeMilliseconds()
            ? rest
            : TimeSpan.Zero;
}
