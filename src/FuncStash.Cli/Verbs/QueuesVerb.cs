using System.CommandLine;
using FuncStash.Cli.Terminals;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary><c>queues</c>: messages in order.</summary>
internal static class QueuesVerb
{
    private static readonly Column<QStashQueue>[] s_columns =
    [
        new("name", q => q.Name), new("parallelism", q => $"{q.Parallelism}"), new("state", q => q.IsPaused ? "paused" : "running"), new("lag", q => $"{q.Lag}"),
        new("created", q => Times.Text(q.CreatedAt)),
    ];

    public static Verb Of(CommandLine commandLine) => new Verb(
        "queues", "Queues: messages in order. Without a verb they are listed.",
        "funcstash queues", "funcstash queues set orders --parallelism 2", "funcstash queues pause orders")
        .With(
            Set(commandLine), Get(commandLine),
            OfEach(commandLine, "pause", "Pause queues: they take messages and deliver none.", "paused", (queues, name, stop) => queues.PauseAsync(name, stop)),
            OfEach(commandLine, "resume", "Resume paused queues.", "resumed", (queues, name, stop) => queues.ResumeAsync(name, stop)),
            OfEach(commandLine, "delete", "Delete queues, and cancel what is in them.", "deleted", (queues, name, stop) => queues.DeleteAsync(name, stop), asks: true))
        .Runs(commandLine, async run => await run.ListAsync(await run.Client.Queues.ListAsync(run.Cancellation), s_columns));

    private static Verb Set(CommandLine commandLine)
    {
        var name = new Argument<string>("NAME") { Description = "Its name" };
        var parallelism = WholeNumbers.Optional("--parallelism", "How many of its messages are delivered at a time  [1]", least: 1);
        return new Verb("set", "Create a queue, or change one.", "funcstash queues set orders --parallelism 2").With(name, parallelism)
            .Runs(commandLine, async run =>
            {
                await run.Client.Queues.UpsertAsync(run.Of(name), run.Of(parallelism), cancellationToken: run.Cancellation);
                run.Detail(await run.Client.Queues.GetAsync(run.Of(name), run.Cancellation), s_columns);
            });
    }

    private static Verb Get(CommandLine commandLine)
    {
        var name = new Argument<string>("NAME") { Description = "Its name" };
        return new Verb("get", "One queue.", "funcstash queues get orders --json").With(name)
            .Runs(commandLine, async run => run.Detail(await run.Client.Queues.GetAsync(run.Of(name), run.Cancellation), s_columns));
    }

    private static Verb OfEach(
        CommandLine commandLine, string name, string description, string done, Func<QueuesClient, string, CancellationToken, Task> act, bool asks = false)
    {
        var names = new Argument<string[]>("NAME") { Arity = ArgumentArity.OneOrMore, Description = "Their names" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        return new Verb(name, description, $"funcstash queues {name} orders{(asks ? " --yes" : "")}").With(asks ? [names, yes] : [names])
            .Runs(commandLine, async run =>
            {
                if (asks && !run.Of(yes) && !await run.Terminal.ConfirmAsync($"Delete {string.Join(", ", run.Of(names))} and cancel what is in there?", run.Cancellation))
                    return ExitCode.Interrupted;
                return await Each.DoAsync(run, run.Of(names), done, (client, queue) => act(client.Queues, queue, run.Cancellation));
            });
    }
}
