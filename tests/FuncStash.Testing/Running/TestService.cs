using System.Text;
using System.Text.Json.Nodes;
using FuncStash.DeadLetters;
using FuncStash.Delivery;
using FuncStash.Destinations;
using FuncStash.Http;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Storage;
using FuncStash.Waiting;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Testing;

/// <summary>
/// The whole service in this process, on SQLite (in memory, where no file is named) and a clock that only the test moves. Nothing is delivered
/// unless the test says so, with <see cref="DeliverDueAsync"/>.
/// </summary>
internal sealed class TestService : IAsyncDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly SqliteStore _store;
    private readonly ServiceProvider _services;

    public TestService(FuncStashOptions? options = null, IStore? store = null, Action<IServiceCollection>? change = null, string path = ":memory:")
    {
        Options = options ?? new FuncStashOptions();
        _store = SqliteStore.Open(path, Time);
        var services = new ServiceCollection()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton(store ?? _store)
            .AddSingleton<IDeliverySchedule, QueueSchedule>()
            .AddSingleton<HostLookup>(PublicNames.LookUpAsync)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddFuncStash(Options);
        change?.Invoke(services);
        _services = services.BuildServiceProvider();
    }

    public FakeTimeProvider Time { get; } = new(s_start);

    public FuncStashOptions Options { get; }

    /// <summary>How the client of <see cref="CallAsync"/> writes what is not ASCII in a header.</summary>
    public Encoding HeaderEncoding { get; init; } = Encoding.UTF8;

    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public IEnumerable<T> All<T>() => _services.GetServices<T>();

    /// <summary>Makes a call of the HTTP API as a host would.</summary>
    /// <param name="target">The raw request target, such as <c>/v2/dlq?count=3</c>.</param>
    /// <param name="token">null: the service's own; empty: none.</param>
    public async Task<TestAnswer> CallAsync(
        string method, string target, string? body = null, string? token = null, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        var feature = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        (feature.Method, feature.Scheme, feature.RawTarget, feature.Path) = (method, "http", target, target.Split('?')[0]);
        if (token != "")
            context.Request.Headers.Authorization = "Bearer " + (token ?? Options.Tokens[0]);
        foreach (var (name, value) in headers)
            context.Request.Headers.Append(name, HeaderValue.OfBytes(HeaderEncoding.GetBytes(value)));
        var bytes = Encoding.UTF8.GetBytes(body ?? "");
        context.Request.Body = new MemoryStream(bytes);
        context.Request.ContentLength = bytes.Length;
        using var answer = new MemoryStream();
        context.Response.Body = answer;
        await Get<Api>().HandleAsync(context);
        return new TestAnswer(
            context.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()), context.Response.ContentType,
            context.Response.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Publishes and returns the message's id.</summary>
    public async Task<string> PublishAsync(string destination, string body = "", params (string Name, string Value)[] headers)
    {
        var answer = await CallAsync("POST", "/v2/publish/" + destination, body, null, headers);
        Assert.Equal(200, answer.Status);
        return (string)answer.Json["messageId"]!;
    }

    public async Task<StoredMessage?> MessageAsync(string id) => await Get<MessageStore>().GetAsync(MessageId.Parse(id));

    /// <summary>Puts a dead letter into the queue of them, as a failed delivery would.</summary>
    public async Task<DlqId> AddDeadLetterAsync(Message message, int status = 500, DlqId? id = null, string? error = null)
    {
        var letters = Get<DeadLetterStore>();
        var body = message.Body;
        var letter = new DeadLetter(id ?? DlqId.New(Now), message, status) { Error = error };
        var added = await Get<IStore>().Tables.CommitAsync((await letters.AddingAsync(letter, body, default)).Commit);
        Assert.True(added.Applied);
        return letter.Id;
    }

    public Message NewMessage(string url, string? label = null) => new()
    {
        Id = Get<MessageIds>().Next(), Url = url, NotBefore = Now, Labels = label is null ? null : [label],
    };

    /// <summary>Runs every delivery that is due, and those that become due by it at the same instant.</summary>
    public async Task DeliverDueAsync()
    {
        for (var round = 0; await ReceiveAsync() is { Count: > 0 } leases; round++)
        {
            Assert.True(round < 10_000, "there is always more that is due");
            foreach (var lease in leases)
                await RunAsync(lease);
        }
    }

    /// <summary>Takes the deliveries that are due off their work queue.</summary>
    public async Task<IReadOnlyList<Lease>> ReceiveAsync() =>
        await Get<IStore>().Queues.ReceiveAsync(WorkItem.Queue, 32, TimeSpan.FromMinutes(1), TimeSpan.Zero);

    /// <summary>Runs one delivery.</summary>
    public async Task RunAsync(Lease lease) => Assert.NotNull(await Get<DeliveryService>().RunAsync(lease.Text, lease));

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _store.DisposeAsync();
    }
}

/// <summary>What the API answered.</summary>
internal sealed record TestAnswer(
    int Status, string Text, string? ContentType, IReadOnlyDictionary<string, string> Headers)
{
    public JsonNode Json => JsonNode.Parse(Text)!;

    public string Error => (string)Json["error"]!;
}
