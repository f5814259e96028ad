using FuncStash.Azure;
using FuncStash.Storage.Tests.Conformance;

namespace FuncStash.Storage.Tests;

// The conformance suite on Azurite. All tests share one store, as many requests share one in a host.

public sealed class AzureTablesTests(AzuriteAccount account) : TablesConformance
{
    protected override ValueTask<IStore> OpenAsync() => new(account.Store);
}

public sealed class AzureValuesTests(AzuriteAccount account) : ValuesConformance
{
    protected override ValueTask<IStore> OpenAsync() => new(account.Store);
}

public sealed class AzureQueryTests(AzuriteAccount account) : QueryConformance
{
    protected override ValueTask<IStore> OpenAsync() => new(account.Store);
}

public sealed class AzureWorkQueuesTests(AzuriteAccount account) : WorkQueuesConformance
{
    protected override ValueTask<IStore> OpenAsync() => new(account.Store);
}

// Of a store of its own, in which the test's queue lies in three of the account.
public sealed class AzureSpreadWorkQueuesTests(AzuriteAccount account) : WorkQueuesConformance
{
    protected override ValueTask<IStore> OpenAsync() =>
        new(new AzureStore(account.Options() with { Spread = new QueueSpread(Queue, 3) }));

    protected override ValueTask CloseAsync(IStore opened)
    {
        ((AzureStore)opened).Dispose();
        return ValueTask.CompletedTask;
    }
}

public sealed class AzureStepsTests(AzuriteAccount account) : StepsConformance
{
    protected override ValueTask<IStore> OpenAsync() => new(account.Store);
}

public sealed class AzureBodiesTests(AzuriteAccount account) : BodiesConformance
{
    protected override ValueTask<IStore> OpenAsync() => new(account.Store);
}

public sealed class AzureConcurrencyTests(AzuriteAccount account) : ConcurrencyConformance
{
    // Some ten requests each, of a few milliseconds.
    protected override int Histories => 40;

    protected override ValueTask<IStore> OpenAsync() => new(account.Store);
}
