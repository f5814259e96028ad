using System.Text;
using FuncStash.Cancelling;
using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Schedules;
using FuncStash.Storage;
using FuncStash.Upkeep;
using Microsoft.Extensions.Logging.Abstractions;

namespace FuncStash.Tests.Upkeep;

public sealed partial class BodySweepTests : IAsyncDisposable
{
    private static readonly byte[] s_big = Encoding.ASCII.GetBytes(new string('x', 300_000));

    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    private readonly Service _service = new(inner => new WatchedStore(inner));

    private WatchedStore Store => (WatchedStore)_service.Store;

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task Of_a_message_a_payload_goes_that_its_row_does_not_name_whatever_has_become_of_the_message()
    {
        var (live, ended, aside) = (await PublishAsync(), await PublishAsync(), await PublishAsync());
        await _service.Get<Cancellation>().CancelAsync(ended);
        await _service.Get<FailingMessages>().SetAsideAsync(aside);
        var used = Store.BodyNames;
        foreach (var id in new[] { live, ended, aside, _service.Get<MessageIds>().Next() })
            await PutAsync(BodyName.New(id.Text));
        // As an older version named them.
        await PutAsync(_service.Get<MessageIds>().Next().Text);

        Assert.Equal(5, await SweepInADayAsync());

        Assert.Equal(used, Store.BodyNames, Sorted);
    }

    [Fact]
    public async Task Of_a_dead_letter_its_own_payload_stays_and_another_goes()
    {
        var letter = await FailAsync(await PublishAsync(), s_big);
        var used = Store.BodyNames;
        await PutAsync(BodyName.New($"dlq-{letter}"));
        await PutAsync(BodyName.New($"dlq-{DlqId.New(_service.Now)}"));

        Assert.Equal(2, await SweepInADayAsync());

        Assert.Equal(used, Store.BodyNames, Sorted);
        Assert.True(await _service.Get<DeadLetterStore>().RemoveAsync(letter));
    }

    [Fact]
    public async Task What_a_dead_letter_names_of_its_message_stays_when_the_message_is_gone()
    {
        var id = await PublishAsync();
        var used = Store.BodyNames;
        await FailAsync(id, body: null);
        await RemoveRowAsync(id);
        await PutAsync(BodyName.New(id.Text));

        Assert.Equal(1, await SweepInADayAsync());

        Assert.Equal(used, Store.BodyNames, Sorted);
    }

    [Fact]
    public async Task Where_a_dead_letter_cannot_be_read_no_payload_of_a_message_goes()
    {
        var id = DlqId.New(_service.Now + 1_000);
        await CommitAsync(DeadLetterStore.Table, new Entity(id.Partition, id.Key, Bytes("Spec", "{")));
        await PutAsync(BodyName.New(_service.Get<MessageIds>().Next().Text));

        Assert.Equal(0, await SweepInADayAsync());

        Assert.Single(Store.BodyNames);
    }

    [Fact]
    public async Task Of_schedules_the_payload_of_today_stays_and_any_other_goes()
    {
        foreach (var id in new[] { "one", "two" })
            await ScheduleAsync(id);
        await ScheduleAsync("two");
        var used = Store.BodyNames;
        Assert.Equal(2, used.Count);
        await PutAsync($"schedule-{Guid.NewGuid():N}");

        Assert.Equal(1, await SweepInADayAsync());

        Assert.Equal(used, Store.BodyNames, Sorted);
    }

    [Fact]
    public async Task Of_a_run_what_an_entry_an_event_a_debt_or_its_result_names_stays_and_any_other_goes()
    {
        var (runs, key) = (_service.Get<RunStore>(), _service.Get<MessageIds>().Next().OfRun());
        var step = new RunStep(StepKey.Result(1), key.Text, _service.Now) { Body = s_big, Size = s_big.Length };
        // Entries of a run that is being resumed are there before it is.
        var (resumed, lost) = (_service.Get<MessageIds>().Next().OfRun(), _service.Get<MessageIds>().Next().OfRun());
        await runs.AddAsync(resumed, step);
        var (result, owed) = (await runs.StoreAsync(key, s_big), await runs.StoreAsync(key, s_big));
        var spec = new RunSpec
        {
            RunId = "wfr_1", Url = "https://example.com", Destination = "https://example.com", Features = RunFeatures.Parse(RunFeatures.Current, null),
        };
        var run = new Run(key, spec, new RunProgress { ResultName = result }, null);
        Assert.Null(await runs.CommitAsync(null, new RunChange(run)
        {
            Added = [step],
            Kept = new KeptEvent(new StoredEvent("e", 0, s_big.Length), s_big),
            Debts = [Debt.OfBody(owed!)],
        }));
        var used = Store.BodyNames;
        Assert.Equal(5, used.Count);
        foreach (var each in new[] { key, resumed, lost })
            await runs.StoreAsync(each, s_big);

        Assert.Equal(3, await SweepInADayAsync());

        Assert.Equal(used, Store.BodyNames, Sorted);
    }

    [Theory]
    [InlineData("run-0123456789abcdef0123456789abcdef")]
    [InlineData("dlq-x-0123456789abcdef")]
    [InlineData("msg_short-0123456789abcdef")]
    [InlineData("-0123456789abcdef")]
    [InlineData("of somebody else")]
    public async Task A_payload_whose_name_tells_no_owner_stays(string name)
    {
        await PutAsync(name);

        Assert.Equal(0, await SweepInADayAsync());

        Assert.Equal([name], Store.BodyNames);
    }

    [Fact]
    public async Task Payloads_of_an_owner_that_cannot_be_read_stay_and_those_of_others_go()
    {
        var id = await PublishAsync();
        await CommitAsync(MessageRows.Table, new Entity(MessageRows.Partition(id), MessageRows.Key(MessageRows.Live, id), Bytes("Spec", "{")));
        await PutAsync(BodyName.New(id.Text));
        var kept = Store.BodyNames;
        await PutAsync(BodyName.New(_service.Get<MessageIds>().Next().Text));

        Assert.Equal(1, await SweepInADayAsync());

        Assert.Equal(kept, Store.BodyNames, Sorted);
        Assert.Contains(_service.Log.Lines, line => line.StartsWith("Warning: whether anybody names payloads", StringComparison.Ordinal));
    }

    [Fact]
    public async Task While_the_storage_is_in_trouble_nothing_goes_and_the_next_turn_looks_again()
    {
        await PutAsync(BodyName.New(_service.Get<MessageIds>().Next().Text));
        _service.Time.Advance(s_day);
        Store.Reading = key => key.StartsWith(MessageRows.Aside, StringComparison.Ordinal)
            ? Task.FromException(new StoreFaultException()) : Task.CompletedTask;
        await Assert.ThrowsAsync<StoreFaultException>(() => SweepAsync());
        Assert.Single(Store.BodyNames);

        Store.Reading = _ => Task.CompletedTask;
        Assert.Equal(1, (await SweepAsync()).Removed);
    }

    [Fact]
    public async Task What_is_stored_after_the_first_look_is_found_by_the_second()
    {
        var message = new Message { Id = _service.Get<MessageIds>().Next(), Url = "https://example.com", Body = s_big };
        message = await _service.Get<MessageStore>().PlaceAsync(message);
        _service.Time.Advance(s_day);
        var looks = 0;
        var looked = new TaskCompletionSource();
        Store.Reading = key =>
        {
            if (key.StartsWith(MessageRows.Aside, StringComparison.Ordinal) && Interlocked.Increment(ref looks) == 1)
                looked.SetResult();
            return Task.CompletedTask;
        };
        var sweep = _service.Get<BodySweep>().RunAsync();
        await looked.Task;
        await _service.Get<MessageStore>().CreateAsync([new NewMessage(message)]);

        Assert.Equal(0, (await FinishAsync(sweep)).Removed);

        Assert.Equal([message.BodyName!], Store.BodyNames);
    }

    private static bool Sorted(IReadOnlyCollection<string> one, IReadOnlyCollection<string> other) =>
        one.Order(StringComparer.Ordinal).SequenceEqual(other.Order(StringComparer.Ordinal));

    private async Task<int> SweepInADayAsync()
    {
        _service.Time.Advance(s_day);
        var result = await SweepAsync();
        Assert.False(result.More);
        return result.Removed;
    }

    private Task<BodySweepResult> SweepAsync() => FinishAsync(_service.Get<BodySweep>().RunAsync());

    private Task UpkeepAsync() => _service.PassTimeAsync(_service.Get<UpkeepService>().RunAsync(), TimeSpan.FromSeconds(1));

    // Between its two looks a sweep waits for a while.
    private Task<BodySweepResult> FinishAsync(Task<BodySweepResult> run) => _service.PassTimeAsync(run, TimeSpan.FromSeconds(1));

    private async Task PutAsync(string name) => await Store.PutAsync(name, s_big, default);

    private async Task<MessageId> PublishAsync() => (await _service.Get<Publisher>().PublishAsync(
        Service.Request("https://example.com", Encoding.ASCII.GetString(s_big), ("Upstash-Delay", "30d")))).Messages[0].Id;

    private async Task ScheduleAsync(string id) => await _service.Get<Scheduler>().CreateAsync(Service.Request(
        "https://example.com", Encoding.ASCII.GetString(s_big), ("Upstash-Cron", "0 0 1 1 *"), ("Upstash-Schedule-Id", id)));

    private async Task<DlqId> FailAsync(MessageId id, byte[]? body)
    {
        var stored = (await _service.Get<MessageStore>().GetAsync(id))!;
        var letter = DeadLetter.Of(DlqId.New(_service.Now), stored.Message, new AttemptOutcome.NoResponse("none"), "none");
        await Store.CommitAsync((await _service.Get<DeadLetterStore>().AddingAsync(letter, body, default)).Commit, default);
        return letter.Id;
    }

    private async Task RemoveRowAsync(MessageId id) => await Store.CommitAsync(
        new Commit(MessageRows.Table, MessageRows.Partition(id), [new Write.Delete(MessageRows.Key(MessageRows.Live, id), null)]), default);

    private async Task CommitAsync(string table, Entity row) =>
        await Store.CommitAsync(new Commit(table, row.PartitionKey, [new Write.Upsert(row)]), default);

    private static Dictionary<string, object> Bytes(string name, string value) => new() { [name] = Encoding.ASCII.GetBytes(value) };
}
