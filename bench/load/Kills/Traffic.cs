using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace FuncStash.Bench.Kills;

/// <summary>The publishers. Each waits until the server is there, publishes once, and notes whether that was acknowledged.</summary>
internal sealed class Traffic(KillOptions options, Target target, Clock clock)
{
    /// <summary>Wait before a retry, in milliseconds.</summary>
    public const int RetryDelayMs = 150;

    private const int CallbackRetries = 3;
    private const double SpreadMs = 300;

    private readonly List<Note> _notes = [];
    private readonly ConcurrentDictionary<string, int> _open = new();
    private readonly ConcurrentDictionary<int, bool> _ended = new();
    private readonly ConcurrentBag<Task> _followUps = [];

    /// <summary>Base of the receiver's URLs.</summary>
    public string Receiver { get; set; } = "";

    public int Count
    {
        get
        {
            lock (_notes)
                return _notes.Count;
        }
    }

    public Note this[int seq]
    {
        get
        {
            lock (_notes)
                return _notes[seq];
        }
    }

    public IReadOnlyList<Note> Notes
    {
        get
        {
            lock (_notes)
                return [.. _notes];
        }
    }

    /// <summary>Publishes until <paramref name="stop"/>; then finishes what follows an acknowledgement.</summary>
    /// <param name="end">gives that up too</param>
    public async Task RunAsync(CancellationToken stop, CancellationToken end)
    {
        var seeds = new Random(options.Seed);
        await Task.WhenAll(Mix.All.SelectMany(kind => Enumerable.Range(0, kind.Publishers).Select(_ =>
        {
            var random = new Random(seeds.Next());
            return Task.Run(() => PublishAsync(kind, random, stop, end), CancellationToken.None);
        })));
        await Task.WhenAll(_followUps);
    }

    /// <summary>A message got the answer that ends it.</summary>
    public void Ended(Note note)
    {
        lock (note.Ids)
        {
            if (_ended.TryAdd(note.Seq, true) && note.Acked)
                Open(note, -1);
        }
    }

    private async Task PublishAsync(Kind kind, Random random, CancellationToken stop, CancellationToken end)
    {
        try
        {
            for (var next = 0.0; !stop.IsCancellationRequested;)
            {
                // A server that has just started is not met by all at once.
                var spread = target.IsUp ? 0 : random.NextDouble() * SpreadMs;
                await target.WaitAsync(stop);
                await clock.DelayAsync(Math.Max(next - clock.Now, spread), stop);
                if (!target.IsUp)
                    continue;
                next = clock.Now + (1_000 * kind.Publishers / kind.PerSecond * (0.5 + random.NextDouble()));
                if (_open.GetValueOrDefault(kind.Name) >= kind.Most)
                    continue;
                var note = New(kind, random);
                if (note.DeduplicationId is not null)
                    await Task.WhenAll(InsistAsync(note, end), InsistAsync(note, end));
                else
                    await SendAsync(note, end);
                if (note is { Acked: true, CancelAfterMs: not null })
                    _followUps.Add(CancelAsync(note, end));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private Note New(Kind kind, Random random)
    {
        lock (_notes)
        {
            var note = kind.Make(random, new Note(_notes.Count, kind.Name) { SentAt = clock.Now });
            _notes.Add(note);
            return note;
        }
    }

    private async Task InsistAsync(Note note, CancellationToken end)
    {
        while (!await SendAsync(note, end))
            await clock.DelayAsync(20, end);
    }

    private async Task<bool> SendAsync(Note note, CancellationToken end)
    {
        var destination = Receiver + Witness.PathOf(Role.Message, note.Seq);
        var path = note.Queue is { } queue ? $"v2/enqueue/{queue}/{destination}" : $"v2/publish/{destination}";
        if (await target.SendAsync(HttpMethod.Post, path, Note.BodyOf(note.Seq, note.Bytes), Headers(note), end) is not { } answer)
            return false;
        lock (note.Ids)
        {
            note.Ids.Add(Publisher.MessageId(answer.Body) ?? "");
            if (note.Acked)
                return true;
            note.AckedAt = clock.Now;
            if (!_ended.ContainsKey(note.Seq))
                Open(note, 1);
        }
        return true;
    }

    private async Task CancelAsync(Note note, CancellationToken end)
    {
        try
        {
            await clock.DelayAsync(note.CancelAfterMs ?? 0, end);
            var answer = await target.InsistAsync(HttpMethod.Delete, "v2/messages/" + note.Id, null, [], end, expected: 404);
            if (answer.Status == 200)
                note.CancelledAt = clock.Now;
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
        }
        Ended(note);
    }

    private void Open(Note note, int change) => _open.AddOrUpdate(note.Kind, change, (_, n) => n + change);

    private IEnumerable<(string, string)> Headers(Note note)
    {
        yield return ("Upstash-Retries", Text(note.Retries));
        yield return ("Upstash-Retry-Delay", Text(RetryDelayMs));
        if (note.DelayMs > 0)
            yield return ("Upstash-Delay", Text(note.DelayMs) + "ms");
        if (note.DeduplicationId is { } id)
            yield return ("Upstash-Deduplication-Id", id);
        if (note.Key is { } key)
        {
            yield return ("Upstash-Flow-Control-Key", key.Name);
            yield return ("Upstash-Flow-Control-Value", key.Value);
        }
        (bool, string, Role)[] callbacks =
            [(note.Callback, "Upstash-Callback", Role.Callback), (note.FailureCallback, "Upstash-Failure-Callback", Role.FailureCallback)];
        foreach (var (_, header, role) in callbacks.Where(callback => callback.Item1))
        {
            yield return (header, Receiver + Witness.PathOf(role, note.Seq));
            yield return (header + "-Retries", Text(CallbackRetries));
            yield return (header + "-Retry-Delay", Text(RetryDelayMs));
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
