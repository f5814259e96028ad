using FuncStash.Admission;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;

namespace FuncStash.Tests.Upkeep;

public sealed partial class SweepTests : IAsyncLifetime
{
    private readonly Service _service = new();

    private IWorkQueues Queues => _service.Store.Queues;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task A_message_without_a_work_queue_message_is_sent_again_once()
    {
        var id = await PublishAsync();
        await LoseAllAsync();
        await ProbeAsync();
        Assert.Equal(0, await SweepAsync());
        _service.Time.Advance(TimeSpan.FromMinutes(11));
        await ProbeAsync();

        var before = _service.Now;
        Assert.Equal(1, await SweepAsync());

        var stored = await MessageAsync(id);
        Assert.Equal(1, stored.Progress.Ticket);
        Assert.InRange(stored.Progress.DueAt, before + 1, _service.Now); // time passes until the sweep is told to be over
        Assert.Equal([$"{id}|1"], await TicketsAsync());
        Assert.Contains(_service.Log.Lines, line => line.StartsWith($"Warning: message {id}", StringComparison.Ordinal));
        await ProbeAsync();
        Assert.Equal(0, await SweepAsync());
    }

    [Fact]
    public async Task A_retry_is_recovered_too_and_keeps_its_count()
    {
        var id = await PublishAsync();
        await ApplyAsync(id, p => p with { State = MessageState.Retry, Retried = 2, DueAt = _service.Now + 60_000 });
        await LoseAllAsync();
        _service.Time.Advance(TimeSpan.FromMinutes(12));
        await ProbeAsync();

        Assert.Equal(1, await SweepAsync());

        var progress = (await MessageAsync(id)).Progress;
        Assert.Equal((MessageState.Retry, 2, 1), (progress.State, progress.Retried, progress.Ticket));
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 20)]
    [InlineData(3, 80)]
    [InlineData(99, 1280)]
    public void The_patience_doubles_each_time(int ticket, int minutes)
    {
        var progress = new Progress { Ticket = ticket, DueAt = 1_000 };
        var through = 1_000 + (minutes * 60_000L);
        Assert.False(Sweep.IsOverdue(progress, through, through, new FuncStashOptions()));
        Assert.True(Sweep.IsOverdue(progress, through + 1, through + 1, new FuncStashOptions()));
    }

    // A long backlog: everything is overdue, and nothing is lost.
    [Fact]
    public async Task Nothing_is_sent_again_while_no_probe_comes_through()
    {
        var id = await PublishAsync();
        for (var i = 0; i < 6; i++)
        {
            _service.Time.Advance(TimeSpan.FromMinutes(10));
            Assert.Equal(0, await SweepAsync());
        }
        Assert.Equal(0, (await MessageAsync(id)).Progress.Ticket);
    }

    [Fact]
    public async Task A_probe_from_before_the_message_proves_nothing()
    {
        await ProbeAsync();
        await PublishAsync();
        _service.Time.Advance(TimeSpan.FromMinutes(30));

        Assert.Equal(0, await SweepAsync());
    }

    [Fact]
    public async Task Delayed_messages_and_attempts_in_flight_are_left_alone()
    {
        await PublishAsync(("Upstash-Delay", "1d"));
        var active = await PublishAsync();
        await LoseAllAsync();
        _service.Time.Advance(TimeSpan.FromMinutes(12));
        await ApplyAsync(active, p => p with { State = MessageState.Active, ActiveSince = _service.Now });
        await ProbeAsync();
        Assert.Equal(0, await SweepAsync());

        // Longer than any attempt may take.
        _service.Time.Advance(TimeSpan.FromMinutes(21));
        await ProbeAsync();

        Assert.Equal(1, await SweepAsync());
        Assert.Equal(1, (await MessageAsync(active)).Progress.Ticket);
    }

    [Fact]
    public async Task A_message_that_changes_while_it_is_looked_at_is_left_alone()
    {
        var id = await PublishAsync();
        await LoseAllAsync();
        _service.Time.Advance(TimeSpan.FromMinutes(12));
        await ProbeAsync();
        var sweeping = _service.Get<Sweep>().RunAsync();
        // Found, and given time to show that somebody acts for it.
        Assert.False(sweeping.IsCompleted);
        await ApplyAsync(id, p => p with { State = MessageState.Active, ActiveSince = _service.Now });

        Assert.Equal(0, await FinishAsync(sweeping));
    }

    [Fact]
    public async Task A_message_that_waits_in_a_paused_queue_is_not_lost()
    {
        await _service.Get<Gates>().ChangeAsync(GateKind.Queue, "q", state => state with { Paused = true });
        var request = Service.Request("https://example.com", "") with { QueueName = "q" };
        await _service.Get<Publisher>().PublishAsync(request);
        _service.Time.Advance(TimeSpan.FromMinutes(12));
        await ProbeAsync();

        Assert.Equal(0, await SweepAsync());
    }

    [Fact]
    public async Task A_message_that_was_stored_but_never_got_in_line_is_recovered()
    {
        var request = Service.Request("https://example.com", "");
        var id = _service.Get<MessageIds>().Next();
        var message = new Message { Id = id, Url = request.Destination, QueueName = "q", NotBefore = _service.Now };
        await _service.Get<MessageStore>().CreateAsync([new NewMessage(message, Scheduled: false)]);
        _service.Time.Advance(TimeSpan.FromMinutes(12));
        await ProbeAsync();

        Assert.Equal(1, await SweepAsync());
        Assert.Equal([$"{id}|1"], await TicketsAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_that_stops_at_its_limit_goes_on_in_the_next_whichever_process_has_it(bool inAnother)
    {
        for (var i = 0; i < 250; i++)
            await PublishAsync();
        await LoseAllAsync();
        _service.Time.Advance(TimeSpan.FromMinutes(12));
        await ProbeAsync();
        var sweep = ActivatorSweep(limit: 100);
        var recovered = new List<int>();
        while (recovered.Sum() < 250 && recovered.Count < 10)
        {
            sweep = inAnother ? ActivatorSweep(limit: 100) : sweep;
            recovered.Add(await FinishAsync(sweep.RunAsync()));
        }

        Assert.Equal(250, recovered.Sum());
        Assert.True(recovered.Count > 1);
    }

    [Fact]
    public async Task Upkeep_finds_a_lost_message_of_today_within_minutes_and_one_of_older_days_within_the_hour()
    {
        var old = await PublishAsync();
        await LoseAllAsync();
        _service.Time.Advance(TimeSpan.FromDays(2));
        await UpkeepAsync();
        var today = await PublishAsync();
        await LoseAllAsync();

        var (ofToday, ofOld) = (await MinutesUntilFoundAsync(today), await MinutesUntilFoundAsync(old));

        Assert.InRange(ofToday, 10, 21);
        Assert.InRange(ofToday + ofOld, 22, 66);
    }

    private async Task<int> MinutesUntilFoundAsync(MessageId id)
    {
        for (var minutes = 0; ; minutes++)
        {
            if ((await MessageAsync(id)).Progress.Ticket > 0)
                return minutes;
            Assert.True(minutes < 100);
            _service.Time.Advance(TimeSpan.FromMinutes(1));
            await ProbeAsync();
            await UpkeepAsync();
        }
    }

    private Task UpkeepAsync() => _service.PassTimeAsync(_service.Get<UpkeepService>().RunAsync(), TimeSpan.FromSeconds(1));

    private Sweep ActivatorSweep(int limit)
    {
        var sweep = _service.New<Sweep>();
        sweep.Limit = limit;
        return sweep;
    }

    private Task<int> SweepAsync() => FinishAsync(_service.Get<Sweep>().RunAsync());

    // Between finding and sending again a sweep waits for a while.
    private Task<T> FinishAsync<T>(Task<T> run) => _service.PassTimeAsync(run, TimeSpan.FromSeconds(1));

    // As a worker does that has worked through the queue.
    private async Task ProbeAsync()
    {
        await _service.Get<QueueProbe>().SendAsync();
        foreach (var lease in await ReceiveAsync())
        {
            if (WorkItem.Parse(lease.Text) is WorkItem.Probe)
                await _service.Get<DeliveryService>().RunAsync(lease.Text, lease);
            else
                await Queues.RenewAsync(lease, TimeSpan.Zero);
        }
    }

    private async Task LoseAllAsync()
    {
        foreach (var lease in await ReceiveAsync())
            await Queues.DeleteAsync(lease);
    }

    private async Task<IEnumerable<string>> TicketsAsync() =>
        (await ReceiveAsync()).Select(lease => lease.Text).Where(text => DeliveryTicket.TryParse(text, out _));

    private async Task<List<Lease>> ReceiveAsync()
    {
        var all = new List<Lease>();
        IReadOnlyList<Lease> some;
        do
        {
            some = await Queues.ReceiveAsync(WorkItem.Queue, 32, TimeSpan.FromMinutes(1), TimeSpan.Zero);
            all.AddRange(some);
        }
        while (some.Count > 0);
        return all;
    }

    private async Task<MessageId> PublishAsync(params (string Name, string Value)[] headers) =>
        (await _service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "", headers))).Messages[0].Id;

    private async Task<StoredMessage> MessageAsync(MessageId id) => (await _service.Get<MessageStore>().GetAsync(id))!;

    private async Task ApplyAsync(MessageId id, Func<Progress, Progress> change)
    {
        var stored = await MessageAsync(id);
        Assert.NotNull(await _service.Get<MessageStore>().ApplyAsync(stored, new Transition(change(stored.Progress), [])));
    }
}
