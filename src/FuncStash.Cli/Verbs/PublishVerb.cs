using System.CommandLine;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary><c>publish</c>: a message to a URL or a URL group, through a queue or not.</summary>
internal static class PublishVerb
{
    public static Verb Of(CommandLine commandLine)
    {
        var message = new MessageArguments();
        var queue = new Option<string?>("--queue") { HelpName = "NAME", Description = "Put it in a queue" };
        var notBefore = new Option<string?>("--not-before") { HelpName = "TIME", Description = "Deliver it then, such as 2026-01-31T12:00Z" };
        var deduplicationId = new Option<string?>("--deduplication-id") { HelpName = "ID", Description = "One message of an id is taken in 10 minutes" };
        return new Verb(
            "publish", "Publish a message; what is printed is its id.",
            "funcstash publish https://example.com/hook --data '{\"n\":1}' -H 'Content-Type: application/json'",
            "funcstash publish https://example.com/hook --data @order.json --delay 10m --retries 5",
            "funcstash publish https://example.com/hook --queue orders --data hello    # after those before it",
            "date | funcstash publish my-url-group --data @-")
            .With(message.Destination).With(message.All).With(queue, notBefore, deduplicationId)
            .Runs(commandLine, async run =>
            {
                var options = new PublishOptions
                {
                    NotBefore = Times.After(run.Of(notBefore), run.Terminal.Time), DeduplicationId = run.Of(deduplicationId),
                    Headers = message.HeadersOf(run),
                };
                message.Set(options, run);
                var body = await message.BodyOfAsync(run);
                var result = run.Of(queue) is { } name
                    ? await run.Client.EnqueueAsync(name, run.Of(message.Destination), body, options, run.Cancellation)
                    : await run.Client.PublishAsync(run.Of(message.Destination), body, options, run.Cancellation);
                foreach (var published in result.Messages)
                {
                    run.Tell(published, published.MessageId);
                    if (published.Deduplicated && !run.Json)
                        run.Terminal.Error.WriteLine("It was published before, and is not sent again.");
                }
            });
    }
}
