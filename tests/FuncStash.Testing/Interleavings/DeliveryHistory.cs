using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;

namespace FuncStash.Testing;

/// <summary>A publish in a play.</summary>
/// <param name="Payload">The hash of what was published.</param>
internal sealed record Publication(string? DeduplicationId, string Payload, int Begun)
{
    public MessageId? Id { get; set; }

    public bool Deduplicated { get; set; }

    public int Acknowledged { get; set; } = int.MaxValue;
}

/// <summary>
/// What was published, stored, let in and attempted, in the order in which it happened, held at each moment against what
/// must always be so: order in the queue, the limits of the key, one message for a deduplication id, what was accepted and
/// nothing else, and once, unless a worker died over it; a callback for each attempt, and none of callbacks; and that one
/// that cannot be delivered fails alone.
/// </summary>
/// <param name="limits">Of the key.</param>
/// <param name="window">Of a deduplication id.</param>
/// <param name="tolerance">By how much the window may seem shorter: publishes that stall, and clocks that differ.</param>
internal sealed class DeliveryHistory(DeliveryLimits limits, TimeSpan window, TimeSpan tolerance)
{
    public const string Queue = "q", Key = "k";

    private readonly Lock _lock = new();
    private readonly List<Publication> _publications = [];
    private readonly Dictionary<string, Message> _stored = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Progress> _ended = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _firstArrivals = new(StringComparer.Ordinal);
    private readonly HashSet<string> _orphans = new(StringComparer.Ordinal), _spoilt = new(StringComparer.Ordinal);
    // When it was certain; the last moment as long as it is not.
    private readonly Dictionary<string, int> _cancelled = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Message, int Retried), PlayArrival> _attempts = [];
    private readonly Dictionary<string, string> _delivered = new(StringComparer.Ordinal);
    private readonly List<PlayArrival> _inFlight = [];
    private readonly List<string> _wrongs = [];
    private readonly Dictionary<long, int> _admissions = [];
    private GateState _queue = new(), _key = new();
    private int _now;

    public int Attempts { get; private set; }

    public int MostAtOnce { get; private set; }

    public bool AllHaveEnded => Unended.Length == 0;

    public string Unended
    {
        get
        {
            lock (_lock)
                return string.Join(", ", _stored.Keys.Except(_ended.Keys));
        }
    }

    public async Task PublishAsync(string? deduplicationId, string payload, Func<Task<Published>> publish)
    {
        Publication publication;
        lock (_lock)
            _publications.Add(publication = new Publication(deduplicationId, payload, ++_now));
        var published = await publish();
        lock (_lock)
            (publication.Id, publication.Deduplicated, publication.Acknowledged) = (published.Id, published.Deduplicated, ++_now);
    }

    /// <summary>Cancels one of those that were accepted, if there is any.</summary>
    public async Task CancelAsync(int number, Func<MessageId, Task<bool>> cancel)
    {
        MessageId id;
        lock (_lock)
        {
            var accepted = _publications.FindAll(p => p.Id is not null);
            if (accepted.Count == 0)
                return;
            id = accepted[number % accepted.Count].Id!.Value;
            _cancelled.TryAdd(id.Text, int.MaxValue);
        }
        if (!await cancel(id))
            return;
        lock (_lock)
            _cancelled[id.Text] = Math.Min(_cancelled[id.Text], ++_now);
    }

    /// <summary>The payload of this message is about to be lost: it may fail.</summary>
    public void Spoil(MessageId id)
    {
        lock (_lock)
            _spoilt.Add(id.Text);
    }

    /// <summary>Takes note of a commit that stands.</summary>
    public void Note(Commit commit)
    {
        lock (_lock)
        {
            foreach (var write in commit.Writes)
            {
                var row = write switch { Write.Insert insert => insert.Entity, Write.Replace replace => replace.Entity, _ => null };
                if (row is null)
                    continue;
                if (commit.Table == MessageRows.Table && write is Write.Insert)
                    NoteMessage(row);
                else if (commit.Table == GateRows.Table && row.RowKey == GateRows.StateKey)
                    NoteGate(row);
            }
        }
    }

    public void Arrive(PlayArrival arrival)
    {
        lock (_lock)
        {
            var message = _stored[arrival.Message];
            _firstArrivals.TryAdd(arrival.Message, ++_now);
            Attempts++;
            Check(arrival.Retried <= message.MaxRetries, $"{arrival} is one too many");
            Check(!_delivered.TryGetValue(arrival.Message, out var earlier) || earlier == arrival.Payload, $"{arrival} brings something else");
            _delivered[arrival.Message] = arrival.Payload;
            var isNew = _attempts.TryAdd((arrival.Message, arrival.Retried), arrival);
            if (_orphans.Contains(arrival.Message))
                return;
            Check(isNew, $"{arrival} came twice, first as {_attempts[(arrival.Message, arrival.Retried)]}");
            // One that was cancelled on its way is not called back, and its queue goes on without it.
            if (message.QueueName is not null && !_ended.ContainsKey(arrival.Message))
            {
                Check(GateRules.IndexOf(_queue, arrival.Message, 0) >= 0, $"{arrival} was not let in by its queue");
                var others = _firstArrivals.Keys.Where(id => id != arrival.Message && _stored[id].QueueName is not null);
                Check(others.All(IsOver), $"{arrival} came before the end of the one ahead");
            }
            if (message.FlowControl is not null)
            {
                Check(GateRules.IndexOf(_key, arrival.Message, arrival.Retried) >= 0, $"{arrival} was not let in by its key");
                var atOnce = _inFlight.Count(other => _stored[other.Message].FlowControl is not null) + 1;
                Check(atOnce <= limits.Parallelism, $"{arrival} is one too many");
                MostAtOnce = Math.Max(MostAtOnce, atOnce);
            }
            _inFlight.Add(arrival);
        }
    }

    /// <summary>Takes note that a worker died with these messages in its hands.</summary>
    /// <remarks>
    /// Such a message may come twice, even at the same time: when the dead worker's lease runs out, and because it was sent
    /// on its way again meanwhile. What its attempts do is not held against the limits any more; others still wait for its end.
    /// </remarks>
    public void NoteOrphans(IEnumerable<string> messages)
    {
        lock (_lock)
        {
            _orphans.UnionWith(messages);
            _inFlight.RemoveAll(arrival => _orphans.Contains(arrival.Message));
        }
    }

    public void Leave(PlayArrival arrival)
    {
        lock (_lock)
            _inFlight.Remove(arrival);
    }

    public void AssertNothingWentWrong()
    {
        lock (_lock)
            Assert.True(_wrongs.Count == 0, string.Join("; ", _wrongs));
    }

    /// <summary>To be called when all has ended.</summary>
    public void AssertAllIsWell()
    {
        AssertNothingWentWrong();
        var accepted = _publications.FindAll(p => p.Id is not null);
        Assert.All(accepted, p => Assert.True(
            _ended[p.Id!.Value.Text].State is var end
                && (end == MessageState.Delivered || (end == MessageState.Failed && _spoilt.Contains(p.Id.Value.Text))
                    || (end == MessageState.Canceled && _cancelled[p.Id.Value.Text] > p.Begun)),
            $"{p} ended as {end}"));
        Assert.All(_stored.Values.Where(message => message.Callback is not null), message => Assert.True(
            CallbacksOf(message.Id.Text).Count() is var count && _ended[message.Id.Text] is var end
                && (end.State == MessageState.Canceled || count == end.Retried + (end.State == MessageState.Failed ? 2 : 1)),
            $"{message.Id} has {count} callbacks after {end}"));
        // What was published by one that died may be there too.
        Assert.All(_delivered.Where(it => _stored[it.Key].CallbackOf is null), it => Assert.True(
            accepted.Find(p => p.Id!.Value.Text == it.Key && !p.Deduplicated) is { } p ? p.Payload == it.Value
                : _publications.Exists(other => other.Payload == it.Value && (other.Id is null || other.Deduplicated)),
            $"{it.Key} brought what was not accepted under it"));

        // A duplicate's message may be in no queue.
        var acknowledged = _publications.Where(p => p.Id is { } id && _stored[id.Text].QueueName is not null).ToList();
        foreach (var later in acknowledged.Where(p => p.DeduplicationId is null && ArrivalOf(p) is not null))
        {
            Assert.All(acknowledged.Where(earlier => earlier.Acknowledged < later.Begun && ArrivalOf(earlier) is not null), earlier =>
                Assert.True(ArrivalOf(earlier) < ArrivalOf(later), $"{later} overtook {earlier}"));
        }

        foreach (var same in _stored.Values.Where(m => m.Labels is not null).GroupBy(m => m.Labels![0]))
        {
            // In the order in which they were stored. A cancelled one keeps no id.
            var all = same.ToList();
            Assert.All(all.Where(m => _ended[m.Id.Text].State != MessageState.Canceled), first => Assert.All(all.SkipWhile(m => m != first).Skip(1), second =>
                Assert.True(second.CreatedAt - first.CreatedAt >= (window - tolerance).TotalMilliseconds, $"two messages of {same.Key}")));
        }

        int? ArrivalOf(Publication p) => _firstArrivals.TryGetValue(p.Id!.Value.Text, out var at) ? at : null;
    }

    private void NoteMessage(Entity row)
    {
        if (row.RowKey.StartsWith(MessageRows.Live, StringComparison.Ordinal))
        {
            var message = MessageRows.FromRow(row).Message;
            Check(_stored.TryAdd(message.Id.Text, message), $"{message.Id} was stored twice");
            Check(message.CallbackOf is not { } source || _stored[source].CallbackOf is null, $"{message.Id} is the callback of a callback");
        }
        else if (row.RowKey.StartsWith(MessageRows.Ended, StringComparison.Ordinal))
        {
            var ended = MessageRows.FromRow(row);
            Check(_ended.TryAdd(ended.Id.Text, ended.Progress), $"{ended.Id} ended twice");
        }
    }

    private void NoteGate(Entity row)
    {
        var state = GateRows.FromRow(row);
        if (row.PartitionKey == GateRows.Partition(GateKind.Queue, Queue))
        {
            Check(state.Inside.Count <= 1, "more than one inside the queue");
            _queue = state;
            return;
        }
        Check(state.Inside.Count <= limits.Parallelism, $"{state.Inside.Count} inside the key");
        var admitted = state.Inside.Count(slot => GateRules.IndexOf(_key, slot.Message, slot.Attempt) < 0);
        if (state.PeriodStart != _key.PeriodStart)
            Check(state.PeriodStart >= _key.PeriodStart + (limits.Period * 1000), "a period began before the end of the one before");
        _admissions[state.PeriodStart] = _admissions.GetValueOrDefault(state.PeriodStart) + admitted;
        Check(_admissions[state.PeriodStart] <= limits.Rate, $"{_admissions[state.PeriodStart]} were let in in one period");
        _key = state;
    }

    // A place in a queue is a message's until its callbacks have ended too.
    private bool IsOver(string id) => _ended.ContainsKey(id) && CallbacksOf(id).All(callback => _ended.ContainsKey(callback.Id.Text));

    private IEnumerable<Message> CallbacksOf(string id) => _stored.Values.Where(message => message.CallbackOf == id);

    private void Check(bool isRight, string wrong)
    {
        if (!isRight)
            _wrongs.Add(wrong);
    }
}
