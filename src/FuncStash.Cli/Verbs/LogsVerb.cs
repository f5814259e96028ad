using System.CommandLine;
using FuncStash.Cli.Terminals;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary><c>logs</c>: what happened to messages, and with <c>--follow</c> what happens.</summary>
internal static class LogsVerb
{
    /// <summary>What is told of an entry.</summary>
    public static Column<LogEntry>[] Columns { get; } =
    [
        new("time", e => Times.Text(e.Time)), new("state", e => e.State.ToString().ToLowerInvariant()), new("message", e => e.MessageId),
        new("url", e => e.Url), new("status", e => e.ResponseStatus is > 0 and var status ? $"{status}" : null), new("error", e => PlainText.Start(e.Error, 200)),
    ];

    public static Verb Of(CommandLine commandLine)
    {
        var filters = new FilterOptions();
        var limit = Limits.Option();
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what happens, until Ctrl-C" };
        return new Verb(
            "logs", "What happened to messages, the latest first; with --follow the latest last.",
            "funcstash logs --follow",
            "funcstash logs --message msg_…",
            "funcstash logs --state error --since 1h --host api.example.com --json")
            .With(filters.OfLog).With(limit, follow)
            .Runs(commandLine, async run =>
            {
                var (filter, logs) = (filters.Log(run), run.Client.Logs);
                if (!run.Of(follow))
                {
                    await run.ListAsync(logs.ListAsync(filter, cancellationToken: run.Cancellation).Limited(run.Of(limit)), Columns);
                    return;
                }

                if (filter.ToDate is not null)
                    throw new UsageException("--follow goes on, and --until ends it: say one of them");
                await foreach (var entry in LogTail.FollowAsync(logs, filter, run.Of(limit), run.Terminal.Time, run.Cancellation))
                {
                    if (run.Json)
                        Listing.Json(run.Terminal, entry);
                    else
                        Listing.Line(run.Terminal, entry, Columns);
                    await run.Terminal.Out.FlushAsync(run.Cancellation);
                }
            });
    }
}
