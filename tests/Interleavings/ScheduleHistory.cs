using System.Globalization;
using System.Text;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Testing;

/// <summary>What was begun, acknowledged and created of one schedule, in the order in which it happened.</summary>
/// <remarks>The body of every message is the number of the creation or replacement that it is of.</remarks>
internal sealed class ScheduleHistory
{
    private readonly Lock _lock = new();
    private readonly List<Span> _stops = [], _starts = [];
    private readonly List<(int At, int Version, MessageId Id)> _created = [];
    private int _now;

    public ScheduleHistory(Stage stage) => stage.Committed = commit =>
    {
        foreach (var write in commit.Writes.OfType<Write.Insert>().Where(_ => commit.Table == MessageRows.Table))
        {
            if (!write.RowKey.StartsWith(MessageRows.Live, StringComparison.Ordinal))
                continue;
            var message = MessageRows.FromRow(write.Entity).Message;
            lock (_lock)
                _created.Add((++_now, int.Parse(Encoding.UTF8.GetString(message.Body), CultureInfo.InvariantCulture), message.Id));
        }
    };

    /// <param name="Version">Of a creation or replacement; 0 for others.</param>
    private sealed record Span(int Version, int Begun)
    {
        public int Acknowledged { get; set; } = int.MaxValue;
    }

    public Task StopAsync(Func<Task> stop) => RunAsync(_stops, 0, stop);

    public async Task StartAsync(Func<int, Task> start, bool replaces)
    {
        int version;
        lock (_lock)
            version = replaces ? _starts.Count(s => s.Version > 0) + 1 : 0;
        await RunAsync(_starts, version, () => start(version));
    }

    private async Task RunAsync(List<Span> spans, int version, Func<Task> act)
    {
        Span span;
        lock (_lock)
            spans.Add(span = new Span(version, ++_now));
        await act();
        lock (_lock)
            span.Acknowledged = ++_now;
    }

    public void AssertNothingIsCreatedAfterAStop()
    {
        foreach (var (at, version, _) in _created)
        {
            // A start that overlaps the stop may have been the later one.
            Assert.DoesNotContain(_stops, stop => stop.Acknowledged < at
                && !_starts.Exists(start => start.Acknowledged > stop.Begun && start.Begun < at));
            var mine = _starts.Find(start => start.Version == version)!;
            Assert.DoesNotContain(_starts, other => other.Version > 0 && other.Begun > mine.Acknowledged
                && other.Acknowledged < at);
        }
    }

    public void AssertNothingIsCreatedTwice() =>
        Assert.Equal(_created.Count, _created.DistinctBy(c => (c.Version, c.Id.CreatedAt, c.Id)).Count());
}
