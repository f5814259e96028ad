
namespace FuncStash.EndToEnd.Tests;

/// <summary>
/// A test of the running product: a host, a receiver of its own, the SDK, and plain HTTP. Each suite is abstract
/// and has one sealed class for every host, so that all hosts pass the same tests; what no store can change is tested on one
/// kind of server and on Functions.
/// </summary>
public abstract class EndToEndTests(HostFixture hosts, NodeSdk sdk) : IAsyncLifetime
{
    private RunningHost? _host;
    private Receiver? _receiver;

    protected HostFixture Hosts => hosts;

    protected NodeSdk Sdk => sdk;

    protected RunningHost Host => _host!;

    protected Receiver Receiver => _receiver!;

    protected WireClient Wire => new(Host);

    public virtual async ValueTask InitializeAsync()
    {
        if (hosts.Unavailable is { } reason)
            Assert.Skip($"{hosts.Name}: {reason}");
        _host = await hosts.SharedAsync();
        _receiver = await Receiver.StartAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_receiver is not null)
            await _receiver.DisposeAsync();
    }

    /// <summary>A name no other test has, fit for labels, paths and ids.</summary>
    protected static string Unique(string name) => $"{name}-{Guid.NewGuid():N}"[..(name.Length + 13)];

    protected static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}
