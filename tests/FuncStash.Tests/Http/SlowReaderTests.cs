using System.Text.Json;
using FuncStash.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Tests.Http;

/// <summary>A client that does not read its list on keeps nobody else from one for long.</summary>
public sealed class SlowReaderTests : IAsyncDisposable
{
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(60);

    private readonly TestService _service = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task Who_reads_nothing_makes_way_once_others_wait_and_it_has_had_its_time()
    {
        var (stalled, writing) = (new List<Client>(), new List<Task>());
        for (var i = 0; i < PagePlaces.Count; i++)
        {
            stalled.Add(new Client(new StalledStream()));
            writing.Add(WriteAsync(stalled[i]));
        }
        using var body = new MemoryStream();
        using var reads = new Client(body);
        var waiting = WriteAsync(reads);
        _service.Time.Advance(PagePlaces.Longest - TimeSpan.FromMilliseconds(1));
        Assert.False(waiting.IsCompleted);
        Assert.DoesNotContain(writing, each => each.IsCompleted);

        _service.Time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting.WaitAsync(s_long, Cancelled);

        using var document = JsonDocument.Parse(body.ToArray());
        Assert.Equal(3, document.RootElement.GetProperty("all").GetArrayLength());
        var gone = Assert.Single(stalled, client => client.IsAborted);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing[stalled.IndexOf(gone)]).WaitAsync(s_long, Cancelled);
        stalled.ForEach(client => client.Abort());
        await Task.WhenAll(writing).ContinueWith(_ => { }, Cancelled, TaskContinuationOptions.None, TaskScheduler.Default).WaitAsync(s_long, Cancelled);
        stalled.ForEach(client => client.Dispose());
    }

    private Task WriteAsync(Client client) => _service.Get<PageAnswer>().WriteAsync(
        new ApiCall(client.Context, RequestTarget.Of(client.Context), [], TokenInHeader: true), ["all"],
        Enumerable.Range(0, 3).Select(i => (IPageEntry)new Entry($"{i}")).ToAsyncEnumerable(), 10);

    private sealed class Entry(string cursor) : IPageEntry
    {
        public string Cursor => cursor;

        public int Weight => 1024 * 1024;

        public ValueTask<bool> LoadAsync(CancellationToken cancellation) => new(true);

        public void Write(Utf8JsonWriter json) => json.WriteStringValue(new string('x', 100_000));
    }

    private sealed class Client : IHttpRequestLifetimeFeature, IDisposable
    {
        private readonly CancellationTokenSource _gone = new();

        public Client(Stream body)
        {
            Context.Features.Set<IHttpRequestLifetimeFeature>(this);
            Context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
            Context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/v2/dlq";
            RequestAborted = _gone.Token;
        }

        public DefaultHttpContext Context { get; } = new();

        public bool IsAborted => _gone.IsCancellationRequested;

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => _gone.Cancel();

        public void Dispose() => _gone.Dispose();
    }

    /// <summary>Takes nothing until it is cancelled.</summary>
    private sealed class StalledStream : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
    }
}
