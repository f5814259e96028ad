using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;

namespace FuncStash.Tests.Admission;

/// <summary>Messages inside a gate that may or may not have been lost.</summary>
public sealed class GateSweepTests : IAsyncLifetime
{
    private readonly Service _service = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task In_a_backlog_a_message_keeps_its_place_and_once_the_backlog_is_worked_through_a_lost_one_is_sent_again_once()
    {
        var id = await PublishAsync();
        for (var minute = 0; minute < 5; minute++)
        {
            _service.Time.Advance(TimeSpan.FromMinutes(1));
            await SweepAsync();
        }
        Assert.Equal(0, await TicketAsync(id));

        // Its work-queue message is lost; those behind it come through.
        Assert.Equal(1, await WorkAsync(ticket => Assert.Equal(id, ticket.Id)));
        await SweepAsync();
        // An attempt that began just now would not have left its mark yet.
        Assert.Equal(0, await TicketAsync(id));
        _service.Time.Advance(TimeSpan.FromSeconds(5));
        await SweepAsync();
        Assert.Equal(1, await TicketAsync(id));

        _service.Time.Advance(TimeSpan.FromMinutes(1));
        await SweepAsync();
        Assert.Equal(1, await TicketAsync(id));
        Assert.Equal(1, await WorkAsync(ticket => Assert.Equal(new DeliveryTicket(id, 1), ticket)));
    }

    [Fact]
    public async Task A_message_of_a_queue_that_waits_at_its_flow_control_key_is_left_there()
    {
        await PublishAsync();
        await _service.Get<Publisher>().PublishAsync(
            Service.Request("https://example.com", "", ("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "parallelism=1"))
                with { QueueName = "q" });
        var id = (await _service.MessagesAsync()).Single(m => m.Message.QueueName == "q").Id;
        // The worker gets it in line at the key.
        foreach (var lease in await ReceiveAsync())
        {
            if (DeliveryTicket.TryParse(lease.Text, out var ticket) && ticket.Id == id)
                await _service.Get<DeliveryService>().RunAsync(lease.Text, lease);
        }
        for (var minute = 0; minute < 5; minute++)
        {
            _service.Time.Advance(TimeSpan.FromMinutes(1));
            await SweepAsync();
            await WorkAsync(_ => { });
        }

        Assert.Equal(0, await TicketAsync(id));
    }

    [Fact]
    public async Task One_that_a_clock_far_behind_has_just_let_in_is_not_taken_for_lost()
    {
        await _service.Get<QueueProbe>().SendAsync();
        Assert.Equal(0, await WorkAsync(_ => { }));
        _service.Time.Advance(TimeSpan.FromSeconds(5));
        await using var behind = new Service(store: _service.Store);
        behind.Time.AdjustTime(_service.Time.GetUtcNow().AddHours(-1));
        var id = await PublishAsync(behind);
        await SweepAsync();
        Assert.Equal(0, await TicketAsync(id));

        // Nor is it looked at for ever, however seldom that is.
        Assert.Equal(1, await WorkAsync(ticket => Assert.Equal(id, ticket.Id)));
        _service.Time.Advance(TimeSpan.FromHours(1));
        await SweepAsync();
        Assert.Equal(1, await TicketAsync(id));
    }

    private Task<MessageId> PublishAsync() => PublishAsync(_service);

    private static async Task<MessageId> PublishAsync(Service service) => (await service.Get<Publisher>().PublishAsync(Service.Request(
        "https://example.com", "", ("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "parallelism=1")))).Messages[0].Id;

    // As another process whose turn it is.
    private Task SweepAsync() => _service.New<GateSweep>().RunAsync();

    private async Task<int> TicketAsync(MessageId id) => (await _service.Get<MessageStore>().GetAsync(id))!.Progress.Ticket;

    // Works through the queue, losing the deliveries.
    private async Task<int> WorkAsync(Action<DeliveryTicket> lose)
    {
        var lost = 0;
        foreach (var lease in await ReceiveAsync())
        {
            if (!DeliveryTicket.TryParse(lease.Text, out var ticket))
            {
                await _service.Get<DeliveryService>().RunAsync(lease.Text, lease);
                continue;
            }
            lose(ticket);
            lost++;
            await _service.Store.Queues.DeleteAsync(lease);
        }
        return lost;
    }

    private ValueTask<IReadOnlyList<Lease>> ReceiveAsync() =>
        _service.Store.Queues.ReceiveAsync(WorkItem.Queue, 32, TimeSpan.FromSeconds(1), TimeSpan.Zero);
}
