using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using FuncStash.Destinations;

namespace FuncStash.Tests.Destinations;

/// <summary>A resolver that knows what the test says, and the landmark; it keeps what it was asked.</summary>
internal sealed class TestResolver
{
    private readonly ConcurrentDictionary<string, Func<Task<IPAddress[]>>> _answers = new(StringComparer.OrdinalIgnoreCase);

    public TestResolver() => Gives(KnownHosts.Landmark, "198.41.0.4");

    public ConcurrentQueue<string> Asked { get; } = new();

    public int TimesAsked(string host) => Asked.Count(asked => asked == host);

    public TestResolver Gives(string host, params string[] addresses) =>
        Answers(host, () => Task.FromResult(Array.ConvertAll(addresses, IPAddress.Parse)));

    public TestResolver Fails(string host, SocketError error) =>
        Answers(host, () => Task.FromException<IPAddress[]>(new SocketException((int)error)));

    public TestResolver Answers(string host, Func<Task<IPAddress[]>> answer)
    {
        _answers[host] = answer;
        return this;
    }

    /// <summary>As a machine has it that is offline, or that does not see the public DNS: "no such host", whatever it is asked.</summary>
    public TestResolver SeesNothing()
    {
        _answers.Clear();
        return this;
    }

    public Task<IPAddress[]> LookUpAsync(string host)
    {
        Asked.Enqueue(host);
        return _answers.TryGetValue(host, out var answer)
            ? answer()
            : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound));
    }
}
