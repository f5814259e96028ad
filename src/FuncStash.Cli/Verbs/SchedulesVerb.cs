using System.CommandLine;
using FuncStash.Cli.Terminals;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary><c>schedules</c>: messages published by the clock.</summary>
internal static class SchedulesVerb
{
    private static readonly Column<QStashSchedule>[] s_columns =
    [
        new("id", s => s.ScheduleId), new("cron", s => s.Cron), new("destination", s => s.Destination),
        new("next", s => s.IsPaused ? "paused" : Times.Text(s.NextScheduleTime)), new("last", s => Times.Text(s.LastScheduleTime)), new("error", s => PlainText.Start(s.Error, 200)),
    ];

    public static Verb Of(CommandLine commandLine) => new Verb(
        "schedules", "Schedules: messages published by the clock. Without a verb they are listed.",
        "funcstash schedules", "funcstash schedules create https://example.com/nightly --cron 'CRON_TZ=Europe/Oslo 0 4 * * *' --id nightly",
        "funcstash schedules pause --all")
        .With(
            Create(commandLine), Get(commandLine), Delete(commandLine),
            Switch(commandLine, "pause", "Pause schedules; runs that fall into the pause are not made up for.", isPaused: true),
            Switch(commandLine, "resume", "Resume paused schedules.", isPaused: false))
        .Runs(commandLine, async run => await run.ListAsync(await run.Client.Schedules.ListAsync(run.Cancellation), s_columns));

    private static Verb Create(CommandLine commandLine)
    {
        var message = new MessageArguments();
        var cron = new Option<string>("--cron") { HelpName = "CRON", Description = "Five fields, in UTC, or in a zone: 'CRON_TZ=Europe/Oslo 0 4 * * *'", Required = true };
        var id = new Option<string?>("--id") { HelpName = "ID", Description = "Its id; a schedule that has it is replaced" };
        var queue = new Option<string?>("--queue") { HelpName = "NAME", Description = "The queue its messages are put in" };
        return new Verb(
            "create", "Create a schedule, or replace the one of that id; what is printed is its id.",
            "funcstash schedules create https://example.com/tick --cron '*/5 * * * *' --id tick --data '{\"n\":1}'")
            .With(message.Destination).With(cron, id, queue).With(message.All)
            .Runs(commandLine, async run =>
            {
                var options = new ScheduleOptions { ScheduleId = run.Of(id), QueueName = run.Of(queue), Headers = message.HeadersOf(run) };
                message.Set(options, run);
                var scheduleId = await run.Client.Schedules.CreateAsync(
                    run.Of(message.Destination), run.Of(cron)!, await message.BodyOfAsync(run), options, run.Cancellation);
                run.Tell(new Dictionary<string, string> { ["scheduleId"] = scheduleId }, scheduleId);
            });
    }

    private static Verb Get(CommandLine commandLine)
    {
        var id = new Argument<string>("ID") { Description = "Its id" };
        return new Verb("get", "One schedule.", "funcstash schedules get nightly --json").With(id)
            .Runs(commandLine, async run => run.Detail(
                await run.Client.Schedules.GetAsync(run.Of(id), run.Cancellation),
                [
                    .. s_columns, new("method", s => s.Method), new("retries", s => $"{s.Retries}"), new("delay", s => Durations.Text(s.Delay)), new("queue", s => s.QueueName),
                    new("flow control", s => s.FlowControlKey), new("labels", s => s.Labels is null ? null : string.Join(", ", s.Labels)), new("body", s => PlainText.Start(s.Body, 1000)),
                ]));
    }

    private static Verb Delete(CommandLine commandLine)
    {
        var ids = new Argument<string[]>("ID") { Arity = ArgumentArity.OneOrMore, Description = "Their ids" };
        return new Verb("delete", "Delete schedules; messages they made stay.", "funcstash schedules delete nightly hourly").With(ids)
            .Runs(commandLine, run => Each.DoAsync(
                run, run.Of(ids), "deleted", (client, id) => client.Schedules.DeleteAsync(id, run.Cancellation)));
    }

    private static Verb Switch(CommandLine commandLine, string name, string description, bool isPaused)
    {
        var selection = new Selection("ID");
        return new Verb(name, description, $"funcstash schedules {name} nightly", $"funcstash schedules {name} --all")
            .With(selection.Ids, selection.All)
            .Runs(commandLine, async run =>
            {
                selection.Check(run, isFiltered: false);
                var ids = run.Of(selection.All)
                    ? [.. (await run.Client.Schedules.ListAsync(run.Cancellation)).Where(s => s.IsPaused != isPaused).Select(s => s.ScheduleId)]
                    : run.Of(selection.Ids);
                return await Each.DoAsync(run, ids, name + "d", (client, id) => isPaused
                    ? client.Schedules.PauseAsync(id, run.Cancellation)
                    : client.Schedules.ResumeAsync(id, run.Cancellation));
            });
    }
}
