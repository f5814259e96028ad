using System.Text;
using FuncStash.Destinations;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Storage;
using FuncStash.Waiting;
using FuncStash.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Testing;

/// <summary>The whole service in this process, on a clock of the test's own.</summary>
internal sealed class Service : IAsyncDisposable
{
    private readonly SqliteStore? _own;
    private readonly ServiceProvider _provider;

    /// <param name="wrap">Puts something between the service and its store.</param>
    /// <param name="options">Other than the defaults.</param>
    /// <param name="store">The store, which stays the caller's; null for one in memory.</param>
    /// <param name="hasBuckets">Whether what is due later than in a minute or two waits in buckets, outside of the work queue.</param>
    public Service(Func<IStore, IStore>? wrap = null, FuncStashOptions? options = null, IStore? store = null, bool hasBuckets = false)
    {
        store ??= _own = SqliteStore.Open(":memory:", Time);
        Store = wrap?.Invoke(store) ?? store;
        _provider = new ServiceCollection()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton(Store)
            .AddSingleton(typeof(IDeliverySchedule), hasBuckets ? typeof(BucketSchedule) : typeof(QueueSchedule))
            .AddSingleton<HostLookup>(PublicNames.LookUpAsync)
            .AddLogging(logging => logging.AddProvider(Log))
            .AddFuncStash(options ?? new FuncStashOptions())
            .BuildServiceProvider();
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 12, 0, 30, TimeSpan.Zero));

    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public IStore Store { get; }

    public Recorder Log { get; } = new();

    public T Get<T>() where T : notnull => _provider.GetRequiredService<T>();

    /// <summary>A new instance of a service, as another process would have it, with parts of its own.</summary>
    public T New<T>(params object[] parts) => ActivatorUtilities.CreateInstance<T>(_provider, parts);

    /// <summary>A publish with these headers.</summary>
    public static PublishRequest Request(string destination, string body, params (string Name, string Value)[] headers)
    {
        var map = new HeaderMap();
        foreach (var (name, value) in headers)
            map.Add(name, value);
        return new PublishRequest(
            destination, PublishSettingsReader.Parse(map, new FuncStashOptions()), Encoding.UTF8.GetBytes(body));
    }

    /// <summary>Every message there is, oldest first.</summary>
    public async Task<IReadOnlyList<StoredMessage>> MessagesAsync()
    {
        var all = new List<StoredMessage>();
        foreach (var day in await Days.ListAsync(Store.Tables, default))
        {
            for (var shard = 0; shard < MessageId.Shards; shard++)
            {
                foreach (var kind in new[] { MessageRows.Live, MessageRows.Ended })
                {
                    var rows = await Store.Tables.QueryAsync(
                        MessageRows.Table, MessageRows.Partition(day, shard), RowRange.Prefix(kind), 10_000);
                    all.AddRange(rows.Select(row => MessageRows.FromRow(row)));
                }
            }
        }
        return [.. all.OrderBy(m => m.Message.CreatedAt)];
    }

    /// <summary>Moves the clock a step at a time until something has ended that waits for it, for a minute at most.</summary>
    public async Task PassTimeAsync(Task run, TimeSpan step)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!run.IsCompleted)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(60), "it does not end");
            Time.Advance(step);
            await Task.WhenAny(run, Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System));
        }
        await run;
    }

    /// <summary>The same; its result.</summary>
    public async Task<T> PassTimeAsync<T>(Task<T> run, TimeSpan step)
    {
        await PassTimeAsync((Task)run, step);
        return await run;
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        if (_own is not null)
            await _own.DisposeAsync();
    }

    /// <summary>Keeps what was logged.</summary>
    internal sealed class Recorder : ILoggerProvider, ILogger
    {
        private readonly Lock _lock = new();
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lock)
                    return [.. _lines];
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lock)
                _lines.Add($"{logLevel}: {formatter(state, exception)}");
        }

        public void Dispose()
        {
        }
    }
}
