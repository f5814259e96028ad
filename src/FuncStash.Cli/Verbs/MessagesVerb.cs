using System.CommandLine;
using FuncStash.Cli.Terminals;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary><c>messages</c>: what became of messages, as the log has it; one message; cancelling.</summary>
internal static class MessagesVerb
{
    public static Verb Of(CommandLine commandLine) => Listed(
        commandLine, new Verb(
            "messages", "Messages and what became of them, the latest first; look at one, cancel some.",
            "funcstash messages --since 1h --state failed",
            "funcstash messages get msg_…",
            "funcstash messages cancel --queue orders --yes")
            .With(Get(commandLine), Cancel(commandLine)));

    private static Verb Listed(CommandLine commandLine, Verb verb)
    {
        var filters = new FilterOptions();
        var limit = Limits.Option();
        return verb.With(filters.OfLog).With(limit).Runs(commandLine, run => run.ListAsync(
            // The log tells the latest first: the first entry of a message is its present state.
            run.Client.Logs.ListAsync(filters.Log(run), 1000, cancellationToken: run.Cancellation).DistinctBy(entry => entry.MessageId).Limited(run.Of(limit)),
            LogsVerb.Columns));
    }

    private static Verb Get(CommandLine commandLine)
    {
        var id = new Argument<string>("ID") { Description = "The message's id" };
        return new Verb("get", "One message that is on its way.", "funcstash messages get msg_… --json").With(id)
            .Runs(commandLine, async run => run.Detail(
                await run.Client.Messages.GetAsync(run.Of(id), run.Cancellation), Columns<QStashMessage>()));
    }

    private static Verb Cancel(CommandLine commandLine)
    {
        var selection = new Selection("ID");
        var filters = new FilterOptions();
        return new Verb(
            "cancel", "Cancel messages: these, those that match, or all.",
            "funcstash messages cancel msg_…", "funcstash messages cancel --label billing --since 1d", "funcstash messages cancel --all --yes")
            .With(selection.Ids).With(filters.OfMessages).With(selection.All, selection.Yes)
            .Runs(commandLine, async run =>
            {
                var filter = filters.Messages(run);
                selection.Check(run, filter != new CancelFilter());
                var (ids, messages) = (run.Of(selection.Ids).Distinct().ToArray(), run.Client.Messages);
                if (ids is [var one])
                {
                    await messages.CancelAsync(one, run.Cancellation);
                    run.Tell(new Dictionary<string, int> { ["cancelled"] = 1 }, "1 cancelled");
                    return ExitCode.Done;
                }

                if (ids.Length == 0 && !run.Of(selection.Yes)
                    && !await run.Terminal.ConfirmAsync(run.Of(selection.All) ? "Cancel every message?" : "Cancel every message that matches?", run.Cancellation))
                {
                    return ExitCode.Interrupted;
                }

                var cancelled = ids.Length > 0 ? await messages.CancelManyAsync(ids, run.Cancellation)
                    : run.Of(selection.All) ? await messages.CancelAllAsync(cancellationToken: run.Cancellation)
                    : await messages.CancelWhereAsync(filter, cancellationToken: run.Cancellation);
                run.Tell(new Dictionary<string, int> { ["cancelled"] = cancelled }, $"{cancelled} cancelled");
                if (cancelled >= ids.Length)
                    return ExitCode.Done;
                run.Terminal.Error.WriteLine($"funcstash: {ids.Length - cancelled} of {ids.Length} were not there to cancel: they had ended, or never were");
                return ExitCode.Incomplete;
            });
    }

    /// <summary>What is told of one message.</summary>
    public static Column<T>[] Columns<T>()
        where T : QStashMessage =>
    [
        new("id", m => m.MessageId), new("url", m => m.Url), new("method", m => m.Method), new("created", m => Times.Text(m.CreatedAt)),
        new("not before", m => Times.Text(m.NotBefore)), new("retries", m => $"{m.MaxRetries}"), new("queue", m => m.QueueName),
        new("group", m => m.UrlGroup), new("schedule", m => m.ScheduleId), new("flow control", m => m.FlowControlKey),
        new("callback", m => m.Callback), new("failure callback", m => m.FailureCallback),
        new("labels", m => m.Labels is null ? null : string.Join(", ", m.Labels)), new("body", m => PlainText.Start(m.Body, 1000)),
    ];
}
