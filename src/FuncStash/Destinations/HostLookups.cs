using System.Collections.Concurrent;
using System.Net;

namespace FuncStash.Destinations;

/// <summary>
/// Lookups of the hosts that are delivered to: a few at a time, and one at a time for a host. A resolver that hangs holds up
/// those who wait for it, and no thread that others need.
/// </summary>
/// <param name="resolver">Looks a host up, on a thread of its own.</param>
/// <param name="most">The most lookups at once.</param>
internal sealed class HostLookups(HostLookup resolver, int most) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> _running = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _turns = new(most);

    /// <summary>The addresses of a host. <paramref name="cancellation"/> ends the wait, not the lookup.</summary>
    public Task<IPAddress[]> LookUpAsync(string host, CancellationToken cancellation) =>
        _running.GetOrAdd(host, name => new(() => RunAsync(name))).Value.WaitAsync(cancellation);

    public void Dispose() => _turns.Dispose();

    private async Task<IPAddress[]> RunAsync(string host)
    {
        await _turns.WaitAsync();
        try
        {
            return await resolver(host);
        }
        finally
        {
            _running.TryRemove(host, out _);
            _turns.Release();
        }
    }
}
