using System.Collections.Concurrent;
using Azure;

namespace FuncStash.Azure;

/// <summary>Opens tables, queues or containers by name, creating each once a process, when it is first written to.</summary>
internal sealed class OnFirstUse<TClient>(Func<string, TClient> open, Func<TClient, Task> create)
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>A client for reads, which treat what is missing as empty.</summary>
    public TClient Open(string name) => Find(name).Client;

    /// <summary>Uses what is there for certain; created again when somebody deleted it meanwhile.</summary>
    public async Task<T> UseAsync<T>(string name, Func<TClient, Task<T>> use, CancellationToken cancellation)
    {
        var entry = Find(name);
        try
        {
            await entry.EnsureAsync(create, cancellation);
            return await use(entry.Client);
        }
        catch (RequestFailedException e) when (IsMissing(e))
        {
            entry.Forget();
            await entry.EnsureAsync(create, cancellation);
            return await use(entry.Client);
        }
    }

    private static bool IsMissing(RequestFailedException e) =>
        e.Status == 404 && e.ErrorCode is "TableNotFound" or "QueueNotFound" or "ContainerNotFound";

    private Entry Find(string name) =>
        _entries.TryGetValue(name, out var entry) ? entry : _entries.GetOrAdd(name, key => new Entry(open(key)));

    private sealed class Entry(TClient client)
    {
        private readonly Lock _gate = new();
        private Task? _creation;

        public TClient Client { get; } = client;

        // One caller's cancellation must not fail the others, so the creation itself is not cancelled.
        public Task EnsureAsync(Func<TClient, Task> create, CancellationToken cancellation)
        {
            Task task;
            lock (_gate)
            {
                if (_creation is null or { IsFaulted: true } or { IsCanceled: true })
                    _creation = create(Client);
                task = _creation;
            }
            return task.IsCompletedSuccessfully ? Task.CompletedTask : task.WaitAsync(cancellation);
        }

        public void Forget()
        {
            lock (_gate)
                _creation = null;
        }
    }
}
