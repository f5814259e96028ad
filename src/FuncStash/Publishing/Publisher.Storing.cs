using System.Collections.Concurrent;
using System.Collections.Frozen;
using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Telemetry;

namespace FuncStash.Publishing;

// How what was accepted is stored: once for each deduplication id, and in line where its queue or key says so.
public sealed partial class Publisher
{
    private async ValueTask StoreAsync(IReadOnlyList<Part> parts, CancellationToken cancellation)
    {
        var news = new List<(Part Part, NewMessage New)>(parts.Count);
        var known = new HashSet<MessageId>();
        var again = new List<StoredMessage>();
        var reservations = await ReserveAsync(parts, cancellation);
        foreach (var part in parts)
        {
            var reservation = part.DeduplicationKey is { } key ? reservations[key] : null;
            var message = reservation?.First is { } first ? part.Message with { Id = first } : part.Message;
            if (reservation is not null && !ReferenceEquals(reservation.Owner, part))
            {
                // A second one of its key in the same batch is a duplicate of the first.
                part.Result = new Published(reservation.First ?? reservation.Owner.Message.Id, message.Url, Deduplicated: true);
                continue;
            }
            // What is sent again is not stored under another's id: it could not be told from the other, which may be stored just now.
            var isAnothers = reservation?.First is not null && part.IsAgain;
            part.Result = new Published(message.Id, message.Url, Deduplicated: reservation?.There is not null || isAnothers);
            if (reservation?.There is { } there)
                again.Add(there);
            // An id that follows from a cause and a URL comes twice where a group has the URL twice.
            else if (!isAnothers && known.Add(message.Id))
                news.Add((part, Accepted(message, part.Once)));
        }
        // These were accepted before the others: a publisher that died stored a part of what it now publishes again.
        if (again.Count > 0)
            await AcceptAgainAsync(again);
        var created = await StoreAsync(news.ConvertAll(item => item.New), cancellation);
        for (var i = 0; i < news.Count; i++)
        {
            var (part, item) = news[i];
            // Another publisher had the key at the same time, and what it published was stored under the id.
            if (!created[i] && part.DeduplicationKey is not null && !(part.IsAgain && await IsStoredAsync(item.Message, cancellation)))
                part.Result = part.Result! with { Deduplicated = true };
        }
    }

    private async ValueTask<bool> IsStoredAsync(Message message, CancellationToken cancellation)
    {
        if (await messages.GetAsync(message.Id, cancellation) is not { } stored || !FormOf(stored.Message).AsSpan().SequenceEqual(FormOf(message)))
            return false;
        var body = await messages.BodyAsync(stored.Message, cancellation);
        return body.AsSpan().SequenceEqual(message.Body);
    }

    // What a message is but for what its storing adds.
    private static byte[] FormOf(Message message) =>
        MessageJson.Write(message with { BodyName = null, BodySize = null, QueueCreatedAt = null });

    /// <param name="Owner">The first of the batch with this key.</param>
    /// <param name="First">The message that has the key already; null when the owner now has it.</param>
    /// <param name="There">That message, unless its publisher died before it was stored, or is about to store it.</param>
    private sealed record Reservation(Part Owner, MessageId? First, StoredMessage? There);

    private async ValueTask<IReadOnlyDictionary<string, Reservation>> ReserveAsync(
        IReadOnlyList<Part> parts, CancellationToken cancellation)
    {
        var owners = parts.Where(part => part.DeduplicationKey is not null).DistinctBy(part => part.DeduplicationKey).ToList();
        if (owners.Count == 0)
            return FrozenDictionary<string, Reservation>.Empty;
        var found = new ConcurrentDictionary<string, Reservation>(StringComparer.Ordinal);
        if (owners.Count == 1)
            await ReserveAsync(owners[0], cancellation);
        else
            await Parallel.ForEachAsync(owners, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation }, ReserveAsync);
        return found;

        async ValueTask ReserveAsync(Part owner, CancellationToken stop) =>
            found[owner.DeduplicationKey!] = await ReserveOneAsync(owner, owner.DeduplicationKey!, stop);
    }

    private async ValueTask<Reservation> ReserveOneAsync(Part owner, string key, CancellationToken cancellation)
    {
        var id = owner.Message.Id;
        while (await deduplicator.ReserveAsync(key, id, cancellation) is { } reserved && reserved.Message != id)
        {
            var there = await messages.GetAsync(reserved.Message, cancellation);
            if (there is { Progress.State: MessageState.Canceled })
            {
                if (await deduplicator.TakeOverAsync(key, id, reserved, cancellation))
                    break;
            }
            // Its queue's deletion takes it along when it is due: it is as good as cancelled, and is so now.
            else if (there is not null && await admission.HasLostItsQueueAsync(there, cancellation))
                await cancelling.CancelAsync(there.Id, cancellation);
            else
                return new Reservation(owner, reserved.Message, there);
        }
        return new Reservation(owner, null, null);
    }

    private NewMessage Accepted(Message message, bool once) =>
        new(message, once, Scheduled: !AdmissionService.JoinsAtOnce(message, Now));

    private async ValueTask<bool[]> StoreAsync(List<NewMessage> news, CancellationToken cancellation)
    {
        await ExpectAsync(news);
        var created = await messages.CreateAsync(news, cancellation);
        Count(news, created);
        // All get in line before any is waited for, so that they stand there in the order given.
        var accepting = new List<Task>();
        for (var i = 0; i < news.Count; i++)
        {
            if (created[i])
            {
                if (AdmissionService.Governs(news[i].Message))
                    accepting.Add(admission.AcceptAsync(news[i].Message, join: !news[i].Scheduled));
            }
            // The one that is there may have been published otherwise, such as into a queue.
            else if (await messages.GetAsync(news[i].Message.Id, cancellation) is { } there)
            {
                if (news[i].Message.QueueCreatedAt is not null && there.Message.NotBefore != news[i].Message.NotBefore)
                    accepting.Add(admission.UnexpectAsync(news[i].Message));
                accepting.Add(AcceptAgainAsync([there]));
            }
        }
        await Task.WhenAll(accepting);
        return created;
    }

    // A delayed message gets in line when it is due: its queue is told now.
    private async Task ExpectAsync(List<NewMessage> news)
    {
        var expecting = new List<Task>();
        for (var i = 0; i < news.Count; i++)
        {
            if (news[i] is { Scheduled: true, Message.QueueName: not null })
                expecting.Add(ExpectAsync(i));
        }
        await Task.WhenAll(expecting);

        async Task ExpectAsync(int i) => news[i] = news[i] with { Message = await admission.ExpectAsync(news[i].Message) };
    }

    // Those that were there before are counted already.
    private static void Count(List<NewMessage> news, bool[] created)
    {
        if (!Metrics.CountsPublished)
            return;
        for (var i = 0; i < news.Count; i++)
        {
            if (created[i])
                Metrics.Published(news[i].Message.Kind());
        }
    }

    // Who stored it may have died before it got in line, and nobody else would put it there.
    private Task AcceptAgainAsync(IEnumerable<StoredMessage> there) =>
        admission.AcceptAgainAsync([.. there.Where(each => AdmissionService.WasToJoin(each.Message, Now))]);
}
