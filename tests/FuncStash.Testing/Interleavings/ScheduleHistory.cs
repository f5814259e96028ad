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
    private readonly List<Span> _spans = [];
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
    private sealed record Span(ScheduleAct Act, int Version, int Begun)
    {
        public int Acknowledged { get; set; } = int.MaxValue;

        /// <summary>False once it is known that there was no schedule.</summary>
        public bool Counts { get; set; } = true;

        /// <summary>Whether it may have come after another one, and before something that happened.</summary>
        public bool MayLieBetween(Span earlier, int at) => Acknowledged > earlier.Begun && Begun < at;
    }

    public Task PauseAsync(Func<Task<bool>> pause) => RunAsync(ScheduleAct.Pause, _ => pause());

    public Task ResumeAsync(Func<Task<bool>> resume) => RunAsync(ScheduleAct.Resume, _ => resume());

    public Task DeleteAsync(Func<Task<bool>> delete) => RunAsync(ScheduleAct.Delete, _ => delete());

    public Task ReplaceAsync(Func<int, Task> replace) => RunAsync(ScheduleAct.Replace, async version =>
    {
        await replace(version);
        return true;
    });

    private async Task RunAsync(ScheduleAct kind, Func<int, Task<bool>> act)
    {
        Span span;
        lock (_lock)
        {
            var version = kind == ScheduleAct.Replace ? Of(ScheduleAct.Replace).Count() + 1 : 0;
            _spans.Add(span = new Span(kind, version, ++_now));
        }
        var counts = await act(span.Version);
        lock (_lock)
            (span.Counts, span.Acknowledged) = (counts, ++_now);
    }

    private IEnumerable<Span> Of(ScheduleAct act) => _spans.Where(span => span.Act == act && span.Counts);

    /// <summary>A resume ends a pause, a deletion does, and a replacement does not; only a replacement follows a deletion.</summary>
    public void AssertNothingIsCreatedAfterAStop()
    {
        foreach (var (at, version, _) in _created)
        {
            Assert.DoesNotContain(Of(ScheduleAct.Pause), pause => pause.Acknowledged < at
                && !Of(ScheduleAct.Resume).Concat(Of(ScheduleAct.Delete)).Any(end => end.MayLieBetween(pause, at)));
            Assert.DoesNotContain(Of(ScheduleAct.Delete), delete => delete.Acknowledged < at
                && !Of(ScheduleAct.Replace).Any(creation => creation.MayLieBetween(delete, at)));
            var mine = Of(ScheduleAct.Replace).Single(replace => replace.Version == version);
            Assert.DoesNotContain(Of(ScheduleAct.Replace), other => other.Begun > mine.Acknowledged && other.Acknowledged < at);
        }
    }

    public void AssertNothingIsCreatedTwice() =>
        Assert.Equal(_created.Count, _created.DistinctBy(c => (c.Version, c.Id.CreatedAt, c.Id)).Count());
}
