using FuncStash.Sqlite;
using FuncStash.Storage.Tests.Conformance;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Storage.Tests.Sqlite;

// Each part of the conformance suite twice: on a file, and in memory. Every test has a store and a clock of its own.

/// <summary>What a test class adds to the suite: how its store is opened and closed.</summary>
internal sealed class SqliteUnderTest(bool onDisk)
{
    private readonly TemporaryFolder? _folder = onDisk ? new TemporaryFolder() : null;

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public IStore Open() => SqliteStore.Open(_folder?.File("store.db") ?? ":memory:", Clock);

    public async ValueTask CloseAsync(IStore store)
    {
        await ((SqliteStore)store).DisposeAsync();
        _folder?.Dispose();
    }
}

public sealed class SqliteTablesTests : TablesConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: true);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteMemoryTablesTests : TablesConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: false);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteValuesTests : ValuesConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: true);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteMemoryValuesTests : ValuesConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: false);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteQueryTests : QueryConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: true);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteMemoryQueryTests : QueryConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: false);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteConcurrencyTests : ConcurrencyConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: true);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteMemoryConcurrencyTests : ConcurrencyConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: false);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteWorkQueuesTests : WorkQueuesConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: true);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteMemoryWorkQueuesTests : WorkQueuesConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: false);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteStepsTests : StepsConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: true);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteMemoryStepsTests : StepsConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: false);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteBodiesTests : BodiesConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: true);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}

public sealed class SqliteMemoryBodiesTests : BodiesConformance
{
    private readonly SqliteUnderTest _sqlite = new(onDisk: false);

    protected override FakeTimeProvider Clock => _sqlite.Clock;

    protected override ValueTask<IStore> OpenAsync() => new(_sqlite.Open());

    protected override ValueTask CloseAsync(IStore opened) => _sqlite.CloseAsync(opened);
}
