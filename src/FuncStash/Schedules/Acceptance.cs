using FuncStash.Publishing;
using FuncStash.Wire;

namespace FuncStash.Schedules;

/// <summary>What became of a publish, an enqueue or an item of a batch.</summary>
public abstract record Accepted
{
    private Accepted()
    {
    }

    /// <summary>Its messages (protocol#publish).</summary>
    public sealed record Messages(PublishResult Result) : Accepted;

    /// <summary>The schedule that its <c>Upstash-Cron</c> asked for (protocol#cron).</summary>
    public sealed record Schedule(string Id) : Accepted;

    /// <summary>Nothing, and why.</summary>
    public sealed record Refused(QStashException Reason) : Accepted;
}

/// <summary>Takes what is to be published now, and what with <c>Upstash-Cron</c> is to be published at its times.</summary>
public sealed class Acceptance(Publisher publisher, Scheduler scheduler, PublishCheck check)
{
    /// <exception cref="QStashException">400, 404 or 413 for what is refused; nothing of it is left behind.</exception>
    public async ValueTask<Accepted> AcceptAsync(PublishRequest request, CancellationToken cancellation = default) =>
        request.Settings.Cron is null
            ? new Accepted.Messages(await publisher.PublishAsync(request, cancellation))
            : new Accepted.Schedule(await scheduler.CreateAsync(request, cancellation));

    /// <summary>Takes many; one that is refused does no harm to the others (protocol#batch).</summary>
    /// <returns>For each request what became of it.</returns>
    public async ValueTask<IReadOnlyList<Accepted>> AcceptAsync(
        IReadOnlyList<PublishRequest> requests, CancellationToken cancellation = default)
    {
        foreach (var request in requests)
            check.Begin(request);
        var now = requests.Where(request => request.Settings.Cron is null).ToList();
        var published = new Queue<(PublishResult? Result, QStashException? Refusal)>(await publisher.PublishAsync(now, cancellation));
        var all = new List<Accepted>(requests.Count);
        foreach (var request in requests)
            all.Add(request.Settings.Cron is null ? Of(published.Dequeue()) : await ScheduleAsync(request, cancellation));
        return all;

        static Accepted Of((PublishResult? Result, QStashException? Refusal) outcome) =>
            outcome.Result is { } result ? new Accepted.Messages(result) : new Accepted.Refused(outcome.Refusal!);
    }

    private async ValueTask<Accepted> ScheduleAsync(PublishRequest request, CancellationToken cancellation)
    {
        try
        {
            return new Accepted.Schedule(await scheduler.CreateAsync(request, cancellation));
        }
        catch (QStashException refusal)
        {
            return new Accepted.Refused(refusal);
        }
    }
}
