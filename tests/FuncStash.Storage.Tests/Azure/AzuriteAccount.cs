using FuncStash.Azure;
using FuncStash.Testing;

[assembly: AssemblyFixture(typeof(FuncStash.Storage.Tests.AzuriteAccount))]

namespace FuncStash.Storage.Tests;

/// <summary>One Azurite for all tests of the assembly; each test keeps apart by a prefix of its own.</summary>
public sealed class AzuriteAccount : IAsyncLifetime
{
    private static int last;
    private AzuriteServer? server;

    public async ValueTask InitializeAsync() => server = await AzuriteServer.StartAsync();

    public AzureStoreOptions Options() => new()
    {
        ConnectionString = server!.ConnectionString,
        Prefix = $"test{Interlocked.Increment(ref last)}",
    };

    public ValueTask DisposeAsync() => server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
