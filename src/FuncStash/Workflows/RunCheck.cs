using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>Refuses what belongs to a run and could never be delivered.</summary>
public sealed class RunCheck(PublishCheck check, FuncStashOptions options, TimeProvider time)
{
    /// <summary>Begins the lookups that <see cref="TriggerAsync"/> will wait for.</summary>
    public void Begin(RunRequest trigger) => check.Begin(trigger.Publish);

    /// <exception cref="QStashException">400 or 413.</exception>
    public async ValueTask TriggerAsync(RunRequest trigger, CancellationToken cancellation = default)
    {
        var publish = trigger.Publish;
        if (publish.Body.Length > options.Workflows.MaxPayloadBytes)
            throw new QStashException(413, TooBig(publish));
        CheckUrl(trigger);
        if (publish.Settings.Cron is not null)
            throw QStashException.BadRequest("invalid Upstash-Cron: a schedule cannot be a part of a workflow run, it starts runs of its own");
        await AddressesAsync(trigger, resolves: true, cancellation);
    }

    /// <summary>
    /// The same of a step, a call, a wait or an invocation of a run under way. A name that cannot be resolved is nothing to
    /// refuse: what calls it learns so as its result.
    /// </summary>
    /// <exception cref="QStashException">412: its SDK takes 400 for the run's end.</exception>
    public async ValueTask PartAsync(RunRequest part, CancellationToken cancellation = default)
    {
        var publish = part.Publish;
        if (publish.Body.Length > options.Workflows.MaxPayloadBytes)
            throw new QStashException(412, TooBig(publish));
        try
        {
            CheckUrl(part);
            publish.Settings.CheckDue(time.GetUtcNow().ToUnixTimeMilliseconds(), options);
            await AddressesAsync(part, resolves: false, cancellation);
        }
        catch (QStashException refusal)
        {
            throw Runs.RunRules.Refused(refusal);
        }
    }

    // Logs, reports and filters take it apart.
    private static void CheckUrl(RunRequest request)
    {
        if (request.Headers is { IsTrigger: true, Url: { } url } && !HttpUrl.IsValid(url, out var reason))
            throw QStashException.BadRequest($"invalid {Headers.RunHeaders.UrlName}: {reason}");
    }

    private async ValueTask AddressesAsync(RunRequest request, bool resolves, CancellationToken cancellation)
    {
        var publish = request.Publish;
        if (string.IsNullOrWhiteSpace(publish.Destination))
            throw QStashException.BadRequest(Destination.Missing);
        if (!HttpUrl.IsValid(publish.Destination, out var reason))
            throw QStashException.BadRequest($"invalid destination url: {reason}");
        await check.UrlAsync("destination url", publish.Destination, resolves, cancellation);
        await check.CallbacksAsync(publish.Settings, resolves, cancellation);
    }

    private string TooBig(PublishRequest publish) =>
        $"the payload is too big: {publish.Body.Length} bytes, at most {options.Workflows.MaxPayloadBytes}";
}
