using FuncStash.Azure;

[assembly: AssemblyFixture(typeof(FuncStash.Storage.Tests.AzuriteAccount))]

namespace FuncStash.Storage.Tests;

/// <summary>One Azurite for all tests of the assembly; each test keeps apart by a prefix of its own.</summary>
public sealed class AzuriteAccount : IAsyncLifetime
{
    private static int s_last;
    private AzuriteServer? _server;
    private AzureStore? _store;

    /// <summary>A store for tests that name their own tables and queues.</summary>
    public IStore Store => _store ?? throw new InvalidOperationException("not started yet");

    public async ValueTask InitializeAsync()
    {
        _server = await AzuriteServer.StartAsync();
        _store = new AzureStore(Options());
    }

    public AzureStoreOptions Options() => new()
    {
        ConnectionString = _server!.ConnectionString,
        Prefix = $"test{Interlocked.Increment(ref s_last)}",
    };

    public ValueTask DisposeAsync()
    {
        _store?.Dispose();
        return _server?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
