using FuncStash.Sqlite.Sql;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>Reads wait for one of a few readers, and the threads of the pool do not wait with them.</summary>
public sealed class ReadersTests : IDisposable
{
    private const int Count = 2;

    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(60);

    private readonly Readers _readers = new(
        [.. Enumerable.Range(0, Count).Select(_ => new Reader(Schema.OpenWriter(":memory:")))]);

    private readonly ManualResetEventSlim _goOn = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _goOn.Set();
        _readers.Dispose();
    }

    [Fact]
    public async Task Nobody_waits_on_a_thread_of_the_pool_until_a_reader_is_free()
    {
        var held = await HoldAllAsync();

        var others = await Task.Run(() => Enumerable.Range(0, 100).Select(i => ReadAsync(i)).ToList(), Cancelled).WaitAsync(s_long, Cancelled);

        Assert.DoesNotContain(others, other => other.IsCompleted);
        _goOn.Set();
        await Task.WhenAll(held).WaitAsync(s_long, Cancelled);
        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(others).WaitAsync(s_long, Cancelled));
    }

    [Fact]
    public async Task What_is_short_finds_a_reader_beside_what_is_long()
    {
        using var busy = new CountdownEvent(1);
        var held = Enumerable.Range(0, 10)
            .Select(_ => Task.Run(() => _readers.ReadLongAsync(0, _ => Hold(busy), Cancelled).AsTask(), Cancelled)).ToList();
        Assert.True(busy.Wait(s_long, Cancelled));

        for (var i = 0; i < 100; i++)
            Assert.Equal(i, await Task.Run(() => ReadAsync(i), Cancelled).WaitAsync(s_long, Cancelled));

        Assert.DoesNotContain(held, read => read.IsCompleted);
        _goOn.Set();
        await Task.WhenAll(held).WaitAsync(s_long, Cancelled);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_read_that_fails_or_is_given_up_takes_no_reader_with_it(bool isLong)
    {
        for (var i = 0; i < 2 * Count; i++)
            await Assert.ThrowsAsync<InvalidDataException>(() => Task.Run(() => ReadAsync(_ => throw new InvalidDataException(), Cancelled), Cancelled));
        var held = await HoldAllAsync();
        using var gone = new CancellationTokenSource();
        var waiting = Task.Run(() => ReadAsync(Ping, gone.Token), Cancelled);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting).WaitAsync(s_long, Cancelled);
        _goOn.Set();
        await Task.WhenAll(held).WaitAsync(s_long, Cancelled);

        for (var i = 0; i < 2 * Count; i++)
            Assert.Equal(1, await ReadAsync(Ping, Cancelled).WaitAsync(s_long, Cancelled));

        Task<int> ReadAsync(Func<int, int> read, CancellationToken cancellation) => isLong
            ? _readers.ReadLongAsync(1, read, cancellation).AsTask()
            : _readers.ReadAsync(1, read, cancellation).AsTask();
    }

    [Fact]
    public async Task What_waits_when_the_readers_are_closed_ends()
    {
        var held = await HoldAllAsync();
        var waiting = Enumerable.Range(0, 10).Select(i => Task.Run(() => ReadAsync(i), Cancelled)).ToList();
        var closing = Task.Run(_readers.Dispose, Cancelled);
        _goOn.Set();

        await Task.WhenAll(held).WaitAsync(s_long, Cancelled);
        await closing.WaitAsync(s_long, Cancelled);
        await Task.WhenAll(waiting).ContinueWith(_ => { }, Cancelled, TaskContinuationOptions.None, TaskScheduler.Default).WaitAsync(s_long, Cancelled);
    }

    private Task<int> ReadAsync(int number) => _readers.ReadAsync(number, Ping, Cancelled).AsTask();

    private async Task<IReadOnlyList<Task<int>>> HoldAllAsync()
    {
        var busy = new CountdownEvent(Count);
        var held = Enumerable.Range(0, Count).Select(_ => Task.Run(() => _readers.ReadAsync(0, _ => Hold(busy), Cancelled).AsTask(), Cancelled)).ToList();
        Assert.True(await Task.Run(() => busy.Wait(s_long, Cancelled), Cancelled));
        return held;
    }

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
