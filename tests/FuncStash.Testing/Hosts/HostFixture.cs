using System.Text.Json.Nodes;

namespace FuncStash.Testing;

/// <summary>
/// One way to run FuncStash: a kind of host on a kind of storage. It keeps one shared host for the tests that
/// isolate themselves by names, and starts further ones for those that stop, kill or configure it.
/// </summary>
public abstract class HostFixture : IAsyncDisposable
{
    private readonly Lazy<Task<(RunningHost Host, DataStore Data)>> _shared;

    protected HostFixture() => _shared = new(StartSharedAsync);

    /// <summary>As it is named in the report, such as <c>Server+SQLite</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Why this host cannot run here; null when it can.</summary>
    public virtual string? Unavailable => null;

    /// <summary>
    /// True where a platform stands before the service: it answers in its own words what reaches no function or cannot be
    /// passed on, and writes the escapes of a path anew, in upper case.
    /// </summary>
    public virtual bool HasFrontEnd => false;

    /// <summary>
    /// While no host runs: lets the time pass, on the storage's clock, that its leases on work give a host that is gone, where
    /// that is longer than a test can wait.
    /// </summary>
    public virtual Task EndLeasesAsync(DataStore data) => Task.CompletedTask;

    public async Task<RunningHost> SharedAsync() => (await _shared.Value).Host;

    /// <summary>An empty place for a host's data.</summary>
    public abstract Task<DataStore> NewDataAsync();

    /// <summary>Data that version 1 of them wrote, and what is in them; see Lifecycle/OldData.</summary>
    public abstract Task<(DataStore Data, JsonNode Contents)> OldDataAsync();

    /// <summary>Starts a host on the data and waits until it is ready.</summary>
    /// <param name="port">0 lets the system choose.</param>
    public abstract Task<RunningHost> StartAsync(DataStore data, int port = 0, Credentials? credentials = null);

    /// <summary>Kills a host, and starts another in its place and on its port.</summary>
    /// <param name="isLast">
    /// Whether it is the last to be killed: the hosts between find the work of those before them still leased, and the one
    /// that stays does it all.
    /// </param>
    public async Task<RunningHost> ReplaceAsync(RunningHost host, DataStore data, bool isLast)
    {
        await host.KillAsync();
        await host.DisposeAsync();
        if (isLast)
            await EndLeasesAsync(data);
        return await StartAsync(data, host.Url.Port);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (!_shared.IsValueCreated || _shared.Value.IsFaulted)
            return;
        var (host, data) = await _shared.Value;
        await host.DisposeAsync();
        await data.DisposeAsync();
    }

    private async Task<(RunningHost, DataStore)> StartSharedAsync()
    {
        var data = await NewDataAsync();
        return (await StartAsync(data), data);
    }
}

/// <summary>Where a host keeps its data, and how it is told so; it outlives the host.</summary>
public abstract class DataStore : IAsyncDisposable
{
    public abstract IReadOnlyList<string> Arguments { get; }

    public virtual IReadOnlyDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>();

    public abstract ValueTask DisposeAsync();
}

/// <summary>A place for data whose host has settings of its own.</summary>
internal sealed class WithSettings(DataStore data, IReadOnlyDictionary<string, string?> settings) : DataStore
{
    public override IReadOnlyList<string> Arguments => data.Arguments;

    public override IReadOnlyDictionary<string, string?> Environment { get; } =
        data.Environment.Concat(settings).ToDictionary(pair => pair.Key, pair => pair.Value);

    public override ValueTask DisposeAsync() => data.DisposeAsync();
}
