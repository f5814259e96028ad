using DurableTask.Core.Exceptions;
using FuncStash.Messages;
using FuncStash.Storage;
using Grpc.Core;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FuncStash.Functions.Delivery;

/// <summary>
/// The short way for a first attempt that is due: the work queue. An orchestration for a message that has to wait, to call
/// back, or is a callback itself.
/// </summary>
/// <remarks>
/// The host gives the Durable client to functions only, as a binding. Every function that runs the service hands it over
/// with <see cref="Use"/>; all of them lead to the same host, so the latest one serves everybody.
/// </remarks>
public sealed partial class DurableSchedule(IStore store, TimeProvider time, ILogger<DurableSchedule> log) : IDeliverySchedule
{
    // How long an orchestration may need to end.
    private static readonly TimeSpan s_ending = TimeSpan.FromSeconds(5);

    private volatile DurableTaskClient? _client;

    public void Use(DurableTaskClient client) => _client = client;

    public Send? Queue(Message message, int ticket, long dueAt) =>
        message is { Callback: null, FailureCallback: null, CallbackOf: null } && dueAt <= time.GetUtcNow().ToUnixTimeMilliseconds()
            ? new DeliveryTicket(message.Id, ticket).ToSend(TimeSpan.Zero)
            : null;

    public ValueTask StartAsync(Message message, int ticket, long dueAt, CancellationToken cancellation) =>
        StartAsync(new DeliveryTicket(message.Id, ticket), dueAt, cancellation);

    /// <summary>Starts the orchestration that makes the next attempt at <paramref name="dueAt"/> (unix ms).</summary>
    public async ValueTask StartAsync(DeliveryTicket ticket, long dueAt, CancellationToken cancellation)
    {
        if (await TryStartAsync(ticket, dueAt, cancellation))
            return;
        // The one there is may have made its last decision before this one was due, so somebody looks again when it is.
        await QueueAsync(ticket, dueAt, s_ending, cancellation);
    }

    /// <summary>Gives the ticket to the work queue at <paramref name="at"/> (unix ms): a short wait, for a quarter of what an orchestration costs.</summary>
    public ValueTask QueueAsync(DeliveryTicket ticket, long at, CancellationToken cancellation) =>
        QueueAsync(ticket, at, TimeSpan.Zero, cancellation);

    private async ValueTask QueueAsync(DeliveryTicket ticket, long at, TimeSpan least, CancellationToken cancellation)
    {
        var delay = TimeSpan.FromMilliseconds(at - time.GetUtcNow().ToUnixTimeMilliseconds());
        await store.Queues.SendAsync([ticket.ToSend(delay < least ? least : delay)], cancellation);
    }

    private async ValueTask<bool> TryStartAsync(DeliveryTicket ticket, long dueAt, CancellationToken cancellation)
    {
        var options = new StartOrchestrationOptions(InstanceId(ticket.Id, ticket.Number));
        try
        {
            await Client.ScheduleNewOrchestrationInstanceAsync(
                DeliveryOrchestration.Name, new DeliveryWait(ticket.ToString(), dueAt), options, cancellation);
            return true;
        }
        catch (OrchestrationAlreadyExistsException)
        {
            return false;
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.AlreadyExists)
        {
            return false;
        }
        catch (RpcException error)
        {
            throw new DeliveryScheduleException(error);
        }
    }

    public async ValueTask WakeAsync(Message message, int ticket, CancellationToken cancellation)
    {
        try
        {
            await Client.RaiseEventAsync(InstanceId(message.Id, ticket), DeliveryOrchestration.Wake, null, cancellation);
        }
        catch (RpcException error)
        {
            // Mostly there is no orchestration to wake. One that sleeps on looks at its message before it does anything.
            LogNotWoken(log, error, message.Id.Text);
        }
    }

    /// <summary>The message's id; a later ticket of it has an orchestration of its own, which none before it can hold up.</summary>
    internal static string InstanceId(MessageId id, int ticket) => ticket == 0 ? id.Text : $"{id.Text}.{ticket}";

    private DurableTaskClient Client =>
        _client ?? throw new InvalidOperationException("a function that runs the service must bind [DurableClient] and hand it over");

    [LoggerMessage(Level = LogLevel.Debug, Message = "no orchestration of {Message} was woken")]
    private static partial void LogNotWoken(ILogger log, Exception error, string message);
}
