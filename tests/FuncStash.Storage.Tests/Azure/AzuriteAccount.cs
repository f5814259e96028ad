using FuncStash.Azure;
using FuncStash.Testing;

[assembly: AssemblyFixture(typeof(FuncStash.Storage.Tests.AzuriteAccount))]

namespace FuncStash.Storage.Tests;

/// <summary>One Azurite for all tests of the assembly; each test keeps apart by a prefix of its own.</summary>
public sealed class AzuriteAccount : IAsyncLifetime
{
    private static int last;
    private AzuriteServer? server;
    private AzureStore? store;

    /// <summary>A store for tests that name their own tables and queues.</summary>
    public IStore Store => store ?? throw new InvalidOperationException("not started yet");

    public async ValueTask InitializeAsync()
    {
        server = await AzuriteServer.StartAsync();
        store = new AzureStore(Options());
    }

    public AzureStoreOptions Options() => new()
    {
        ConnectionString = server!.ConnectionString,
        Prefix = $"test{Interlocked.Increment(ref last)}",
    };

    public ValueTask DisposeAsync()
    {
        store?.Dispose();
        return server?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
