using FuncStash.Sqlite.Sql;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>Reads wait for one of a few readers, and the threads of the pool do not wait with them.</summary>
public sealed class ReadersTests : IDisposable
{
    private const int Count = 2;

    private readonly Readers _readers = new(
        [.. Enumerable.Range(0, Count).Select(_ => new Reader(Schema.OpenWriter(":memory:")))]);

    private readonly ManualResetEventSlim _goOn = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _goOn.Dispose();
        _readers.Dispose();
    }

    [Fact]
    public async Task Nobody_waits_on_a_thread_of_the_pool_until_a_reader_is_free()
    {
        using var busy = new CountdownEvent(Count);
        var held = Enumerable.Range(0, Count).Select(_ => Task.Run(() => HoldAsync(busy), Cancelled)).ToList();
        busy.Wait(Cancelled);

        var others = await Task.Run(() => Enumerable.Range(0, 100).Select(i => _readers.ReadAsync(i, Ping).AsTask()).ToList(), Cancelled);

        Assert.DoesNotContain(others, other => other.IsCompleted);
        _goOn.Set();
        await Task.WhenAll(held);
        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(others));
    }

    [Fact]
    public async Task What_is_short_finds_a_reader_beside_what_is_long()
    {
        using var busy = new CountdownEvent(1);
        var held = Enumerable.Range(0, 10).Select(_ => Task.Run(() => _readers.ReadLongAsync(0, _ => Hold(busy)).AsTask(), Cancelled)).ToList();
        busy.Wait(Cancelled);

        for (var i = 0; i < 100; i++)
            Assert.Equal(i, await Task.Run(() => _readers.ReadAsync(i, Ping).AsTask(), Cancelled));

        Assert.DoesNotContain(held, read => read.IsCompleted);
        _goOn.Set();
        await Task.WhenAll(held);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_read_that_fails_gives_its_reader_back(bool isLong)
    {
        for (var i = 0; i < 2 * Count; i++)
            await Assert.ThrowsAsync<InvalidDataException>(() => Task.Run(() => ReadAsync(i, _ => throw new InvalidDataException()).AsTask(), Cancelled));

        Assert.Equal(1, await ReadAsync(1, Ping));

        ValueTask<int> ReadAsync(int state, Func<int, int> read) =>
            isLong ? _readers.ReadLongAsync(state, read) : _readers.ReadAsync(state, read);
    }

    private Task<int> HoldAsync(CountdownEvent busy) => _readers.ReadAsync(0, _ => Hold(busy)).AsTask();

    private int Hold(CountdownEvent busy)
    {
        using var loan = _readers.Lend();
        if (!busy.IsSet)
            busy.Signal();
        _goOn.Wait(Cancelled);
        return 0;
    }

    private int Ping(int number)
    {
        using var loan = _readers.Lend();
        loan.Reader.Ping.Step();
        loan.Reader.Ping.Reset();
        return number;
    }
}
