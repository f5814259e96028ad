using System.CommandLine;
using FuncStash.Cli.Terminals;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary><c>dlq</c>: messages that have failed for good.</summary>
internal static class DlqVerb
{
    private static readonly Column<DlqMessage>[] s_columns =
    [
        new("id", m => m.DlqId), new("message", m => m.MessageId), new("created", m => Times.Text(m.CreatedAt)), new("url", m => m.Url),
        new("status", m => $"{m.ResponseStatus}"), new("error", m => PlainText.Start(m.Error ?? m.ResponseBody, 200)),
    ];

    public static Verb Of(CommandLine commandLine) => new Verb(
        "dlq", "The dead letter queue: messages that have failed for good.",
        "funcstash dlq list --status 503 --since 1d", "funcstash dlq retry --status 503 --yes", "funcstash dlq delete --label old --yes")
        .With(List(commandLine), Get(commandLine), Retry(commandLine), Delete(commandLine));

    private static Verb List(CommandLine commandLine)
    {
        var filters = new FilterOptions();
        var limit = Limits.Option();
        var latest = new Option<bool>("--latest-first") { Description = "The latest failure first, instead of the earliest" };
        return new Verb(
            "list", "Dead letters, the earliest failure first.",
            "funcstash dlq list --latest-first --limit 10", "funcstash dlq list --to https://api.example.com/hook --json --limit 0 > letters.jsonl")
            .With(filters.OfDeadLetters).With(limit, latest)
            .Runs(commandLine, run => run.ListAsync(
                run.Client.Dlq.ListAsync(
                    filters.DeadLetters(run), order: run.Of(latest) ? ListOrder.LatestFirst : null, cancellationToken: run.Cancellation).Limited(run.Of(limit)), s_columns));
    }

    private static Verb Get(CommandLine commandLine)
    {
        var id = new Argument<string>("ID") { Description = "The dead letter's id" };
        return new Verb("get", "One dead letter, with what the destination answered last.", "funcstash dlq get 1725323658779-0 --json").With(id)
            .Runs(commandLine, async run => run.Detail(
                await run.Client.Dlq.GetAsync(run.Of(id), run.Cancellation),
                [new("dead letter", m => m.DlqId), .. MessagesVerb.Columns<DlqMessage>(), new("status", m => $"{m.ResponseStatus}"), new("error", m => m.Error), new("answer", m => PlainText.Start(m.ResponseBody, 1000))]));
    }

    private static Verb Retry(CommandLine commandLine)
    {
        var selection = new Selection("ID");
        var filters = new FilterOptions();
        return new Verb(
            "retry", "Send dead letters again: these, those that match, or all. Each becomes a new message.",
            "funcstash dlq retry 1725323658779-0", "funcstash dlq retry --status 503 --since 2h", "funcstash dlq retry --all --yes --json")
            .With(selection.Ids).With(filters.OfDeadLetters).With(selection.All, selection.Yes)
            .Runs(commandLine, async run =>
            {
                var filter = filters.DeadLetters(run);
                selection.Check(run, filter != new DlqFilter());
                var (ids, dlq) = (run.Of(selection.Ids), run.Client.Dlq);
                var total = ids.Length > 0 ? ids.Length : await CountAsync(run, dlq, filter);
                if (!await IsMeantAsync(run, selection, "Send", total, "again"))
                    return ExitCode.Interrupted;
                var retried = 0;
                try
                {
                    await run.Terminal.ProgressAsync("Sending again", total, async step =>
                    {
                        var sent = ids.Length > 0 ? dlq.RetryManyAsync(ids, run.Cancellation)
                            : run.Of(selection.All) ? dlq.RetryAllAsync(cancellationToken: run.Cancellation)
                            : dlq.RetryWhereAsync(filter, cancellationToken: run.Cancellation);
                        await foreach (var message in sent)
                        {
                            retried++;
                            step(1);
                            if (run.Json)
                                run.Tell(message, "");
                        }
                    });
                }
                catch (QStashRequestException failure) when (retried > 0)
                {
                    return Broken(run, failure, $"{retried} sent again before that");
                }

                if (!run.Json)
                    run.Terminal.Out.WriteLine($"{retried} sent again");
                return ExitCode.Done;
            });
    }

    private static Verb Delete(CommandLine commandLine)
    {
        var selection = new Selection("ID");
        var filters = new FilterOptions();
        return new Verb(
            "delete", "Delete dead letters for good: these, those that match, or all.",
            "funcstash dlq delete 1725323658779-0", "funcstash dlq delete --until 7d --yes")
            .With(selection.Ids).With(filters.OfDeadLetters).With(selection.All, selection.Yes)
            .Runs(commandLine, async run =>
            {
                var filter = filters.DeadLetters(run);
                selection.Check(run, filter != new DlqFilter());
                // Bounded by a time, "all" is a filter as well, and ends though new ones come.
                if (run.Of(selection.All))
                    filter = new DlqFilter { ToDate = run.Terminal.Time.GetUtcNow() };
                var (ids, dlq) = (run.Of(selection.Ids), run.Client.Dlq);
                if (ids is [var one])
                {
                    await dlq.DeleteAsync(one, run.Cancellation);
                    run.Tell(new Dictionary<string, int> { ["deleted"] = 1 }, "1 deleted");
                    return ExitCode.Done;
                }

                var total = ids.Length > 0 ? ids.Length : await CountAsync(run, dlq, filter);
                if (!await IsMeantAsync(run, selection, "Delete", total, "for good"))
                    return ExitCode.Interrupted;
                var deleted = 0;
                try
                {
                    await run.Terminal.ProgressAsync("Deleting", total, async step =>
                    {
                        if (ids.Length > 0)
                        {
                            deleted = await dlq.DeleteManyAsync(ids, run.Cancellation);
                            step(deleted);
                            return;
                        }

                        string? cursor = null;
                        do
                        {
                            var page = await dlq.DeletePageAsync(filter, cursor: cursor, cancellationToken: run.Cancellation);
                            (deleted, cursor) = (deleted + page.Deleted, page.Cursor);
                            step(page.Deleted);
                        }
                        while (cursor is not null);
                    });
                }
                catch (QStashRequestException failure) when (deleted > 0)
                {
                    return Broken(run, failure, $"{deleted} deleted before that");
                }

                run.Tell(new Dictionary<string, int> { ["deleted"] = deleted }, $"{deleted} deleted");
                // The others were not there.
                return deleted < ids.Length ? ExitCode.Incomplete : ExitCode.Done;
            });
    }

    private static int Broken(Invocation run, QStashRequestException failure, string done)
    {
        run.Terminal.Error.WriteLine($"funcstash: {PlainText.Of(Failure.Text(failure))}; {done}");
        return ExitCode.Incomplete;
    }

    // Counting reads the list: it is for the question and the bar, so not where nobody looks.
    private static async Task<int?> CountAsync(Invocation run, DlqClient dlq, DlqFilter filter) =>
        run.Terminal.CanAsk ? await dlq.ListAsync(filter, 100, cancellationToken: run.Cancellation).CountAsync(run.Cancellation) : null;

    private static async Task<bool> IsMeantAsync(Invocation run, Selection selection, string verb, int? total, string how) =>
        run.Of(selection.Yes) || run.Of(selection.Ids).Length > 0 || total == 0
        || await run.Terminal.ConfirmAsync($"{verb} {(total is null ? "those dead letters" : $"{total} dead letters")} {how}?", run.Cancellation);
}
