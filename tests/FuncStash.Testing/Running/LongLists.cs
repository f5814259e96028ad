using FuncStash.Cancelling;
using FuncStash.DeadLetters;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Testing;

/// <summary>Lists of 10,000 entries, read page by page while entries come and go; for every store.</summary>
internal static class LongLists
{
    private const int Entries = 10_000;

    /// <summary>Pages through the log while messages are published and cancelled.</summary>
    public static async Task PageLogAsync(TestService service, bool earliestFirst, int count)
    {
        var (store, ids) = (service.Get<MessageStore>(), new List<MessageId>());
        for (var i = 0; i < Entries; i += 1000)
        {
            service.Time.Advance(TimeSpan.FromMinutes(30));
            var some = Enumerable.Range(0, 1000).Select(_ => new NewMessage(service.NewMessage("https://example.com/"), Scheduled: false)).ToList();
            await store.CreateAsync(some);
            ids.AddRange(some.Select(m => m.Message.Id));
        }
        var seen = new List<LogEvent>();
        var (cursor, page) = ((string?)null, 0);
        do
        {
            var found = await service.Get<LogReader>().ListAsync(new() { After = cursor, Count = count, EarliestFirst = earliestFirst });
            Assert.InRange(found.Entries.Count, 0, count);
            seen.AddRange(found.Entries.Select(entry => entry.Event));
            cursor = found.Next;
            // Before the next page messages end, which moves their rows, and another one comes.
            service.Time.Advance(TimeSpan.FromMilliseconds(1));
            for (var n = 0; n < 5; n++)
                Assert.True(await service.Get<Cancellation>().CancelAsync(ids[((page * 5) + n) * 17 % Entries]));
            await store.CreateAsync([new(service.NewMessage("https://example.com/late"))]);
            page++;
        }
        while (cursor is not null);

        Assert.Equal(seen.Count, seen.Select(e => e.Position).Distinct().Count());
        Assert.Equal(
            seen.Select(e => e.Position),
            earliestFirst ? seen.Select(e => e.Position).OrderDescending(StringComparer.Ordinal) : seen.Select(e => e.Position).Order(StringComparer.Ordinal));
        var created = seen.Where(e => e.State == MessageState.Created).Select(e => e.Message).ToHashSet();
        Assert.Empty(ids.Select(id => id.Text).Except(created));
    }

    /// <summary>Pages through the dead letters while some are removed and others added.</summary>
    public static async Task PageDeadLettersAsync(TestService service, bool latestFirst, int count)
    {
        var letters = service.Get<DeadLetterStore>();
        var (stable, removable) = (new HashSet<DlqId>(), new Queue<DlqId>());
        var commits = new List<Commit>();
        for (var i = 0; i < Entries; i++)
        {
            service.Time.Advance(TimeSpan.FromMilliseconds(i % 3));
            var letter = new DeadLetter(DlqId.New(service.Now), service.NewMessage("https://example.com/"), 500);
            commits.Add((await letters.AddingAsync(letter, [], default)).Commit);
            if (i % 5 == 1)
                removable.Enqueue(letter.Id);
            else
                stable.Add(letter.Id);
        }
        // Many to a transaction, for the sake of the test's time.
        foreach (var some in commits.GroupBy(c => c.PartitionKey).SelectMany(g => g.Chunk(Commit.MaxWrites)))
            Assert.True((await service.Get<IStore>().Tables.CommitAsync(some[0] with { Writes = [.. some.SelectMany(c => c.Writes)] })).Applied);

        var seen = new List<DlqId>();
        DlqId? after = null;
        while (true)
        {
            var page = await service.Get<DeadLetterReader>().ListAsync(new() { After = after, Count = count, LatestFirst = latestFirst });
            seen.AddRange(page.Letters.Select(letter => letter.Id));
            if (page.Next is null)
                break;
            after = DlqId.Parse(page.Next);
            if (removable.TryDequeue(out var gone))
                Assert.True(await letters.RemoveAsync(gone));
            service.Time.Advance(TimeSpan.FromMilliseconds(1));
            await service.AddDeadLetterAsync(service.NewMessage("https://example.com/late"));
        }

        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Empty(stable.Except(seen));
        var times = seen.Select(id => id.FailedAt).ToList();
        Assert.Equal(latestFirst ? times.OrderDescending() : times.Order(), times);
    }
}
