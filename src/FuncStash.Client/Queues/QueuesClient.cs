using System.Text.Json;

namespace FuncStash.Client;

/// <summary>Queues: messages in order. <see cref="QStashClient.EnqueueAsync"/> puts messages in. Safe for use by many threads.</summary>
public class QueuesClient
{
    private const string Path = "/v2/queues";
    private readonly Transport _transport;

    internal QueuesClient(Transport transport) => _transport = transport;

    /// <summary>For stand-ins in tests, which override what they need.</summary>
    protected QueuesClient() => _transport = null!;

    /// <summary>Creates a queue or changes it; what is null stays as it is, or as a new queue has it.</summary>
    /// <param name="name">Its name: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</param>
    /// <param name="parallelism">How many messages are delivered at a time, 1 or more; 1 for a new queue.</param>
    /// <param name="paused">Whether it delivers none; false for a new queue.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is so.</returns>
    /// <exception cref="QStashRequestException">400 for a name that cannot be, 412 when the account can have no more.</exception>
    public virtual Task UpsertAsync(
        string name, int? parallelism = null, bool? paused = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var json = JsonSerializer.SerializeToUtf8Bytes(new QueueChange(name, parallelism, paused), WireJson.Default.QueueChange);
        return _transport.SendAsync(ApiRequest.Json(HttpMethod.Post, Path, json), cancellationToken);
    }

    /// <summary>All queues.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The queues.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<IReadOnlyList<QStashQueue>> ListAsync(CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Get(Path), WireJson.Default.IReadOnlyListQStashQueue, cancellationToken);

    /// <summary>One queue.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The queue.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual Task<QStashQueue> GetAsync(string name, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Get(Of(name)), WireJson.Default.QStashQueue, cancellationToken);

    /// <summary>Deletes a queue and what is in it; when there is none, that is well too.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is gone.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task DeleteAsync(string name, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Set(HttpMethod.Delete, Of(name)), cancellationToken);

    /// <summary>Pauses a queue: it takes messages and delivers none.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is paused.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual Task PauseAsync(string name, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Set(HttpMethod.Post, Of(name, "pause")), cancellationToken);

    /// <summary>Resumes a paused queue.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is resumed.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual Task ResumeAsync(string name, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Set(HttpMethod.Post, Of(name, "resume")), cancellationToken);

    private static string Of(string name, string? end = null) => RequestPath.Of(Path + "/", name, end);
}

internal sealed record QueueChange(string QueueName, int? Parallelism, bool? Paused);
