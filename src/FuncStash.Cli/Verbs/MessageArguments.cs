using System.CommandLine;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary>What a message can be told, whether it is published or made by a schedule.</summary>
internal sealed class MessageArguments
{
    private readonly Option<string?> _data = new("--data", "-d") { HelpName = "TEXT|@FILE", Description = "The body; @- reads what is piped in" };
    private readonly Option<string[]> _header = new("--header", "-H") { HelpName = "NAME: VALUE", Description = "A header of the delivery, or a setting by its whole name; may be repeated" };
    private readonly Option<string?> _method = new("--method", "-X") { HelpName = "METHOD", Description = "The method of the delivery  [POST]" };
    private readonly Option<string?> _delay = new("--delay") { HelpName = "DURATION", Description = "Deliver it so much later, such as 90s or 2h" };
    private readonly Option<int?> _retries = WholeNumbers.Optional("--retries", "Retries after the first attempt  [3]", least: 0);
    private readonly Option<string?> _retryDelay = new("--retry-delay") { HelpName = "EXPRESSION", Description = "The wait before each retry in milliseconds, such as '1000 * (1 + retried)'" };
    private readonly Option<string?> _timeout = new("--timeout") { HelpName = "DURATION", Description = "How long the destination may take to answer" };
    private readonly Option<string?> _callback = new("--callback") { HelpName = "URL", Description = "Is told the outcome of every attempt" };
    private readonly Option<string?> _failureCallback = new("--failure-callback") { HelpName = "URL", Description = "Is told when the message has failed for good" };
    private readonly Option<string[]> _label = new("--label") { HelpName = "TEXT", Description = "A label to find it by; may be repeated" };
    private readonly Option<string?> _key = new("--flow-control") { HelpName = "KEY", Description = "Shares a limit with all of the same key" };
    private readonly Option<int?> _parallelism = WholeNumbers.Optional("--parallelism", "The key's most deliveries at a time", least: 1);
    private readonly Option<int?> _rate = WholeNumbers.Optional("--rate", "The key's most deliveries in a period", least: 1);
    private readonly Option<string?> _period = new("--period") { HelpName = "DURATION", Description = "The period of the rate  [1s]" };

    public Argument<string> Destination { get; } = new("DESTINATION") { Description = "An http or https URL, or the name of a URL group" };

    public Option[] All => [_data, _header, _method, _delay, _retries, _retryDelay, _timeout, _callback, _failureCallback, _label, _key, _parallelism, _rate, _period];

    /// <exception cref="UsageException">The file cannot be read.</exception>
    public async Task<MessageBody?> BodyOfAsync(Invocation run) => run.Of(_data) switch
    {
        null => null,
        ['@', ..] file => MessageBody.FromBytes(await run.Terminal.BytesOfAsync(file, run.Cancellation)),
        var text => MessageBody.FromString(text),
    };

    /// <exception cref="UsageException">One has no colon.</exception>
    public Dictionary<string, string> HeadersOf(Invocation run)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var header in run.Of(_header) ?? [])
        {
            if (header.Split(':', 2) is not [var name, var value])
                throw new UsageException($"--header '{header}': it is a name, a colon and a value");
            headers[name.Trim()] = value.Trim();
        }

        return headers;
    }

    /// <exception cref="UsageException">A value cannot be.</exception>
    public void Set(MessageOptions options, Invocation run)
    {
        options.Method = run.Of(_method) is { } method ? new HttpMethod(method) : null;
        options.Delay = run.Of(_delay) is { } delay ? Durations.Parse(delay) : null;
        options.Retries = run.Of(_retries);
        options.RetryDelay = run.Of(_retryDelay);
        options.Timeout = run.Of(_timeout) is { } timeout ? Durations.Parse(timeout) : null;
        options.Callback = run.Of(_callback) is { } callback ? new(callback) : null;
        options.FailureCallback = run.Of(_failureCallback) is { } failure ? new(failure) : null;
        options.Labels = run.Many(_label);
        var (parallelism, rate, period) = (run.Of(_parallelism), run.Of(_rate), run.Of(_period));
        if (run.Of(_key) is { } key)
            options.FlowControl = new(key) { Parallelism = parallelism, Rate = rate, Period = period is null ? null : Durations.Parse(period) };
        else if (parallelism is not null || rate is not null || period is not null)
            throw new UsageException("--parallelism, --rate and --period are limits of a --flow-control key");
    }
}
