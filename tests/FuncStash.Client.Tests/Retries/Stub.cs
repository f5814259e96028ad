using System.Net;
using System.Text;

namespace FuncStash.Client.Tests.Retries;

/// <summary>A request as a stub got it.</summary>
internal sealed record Sent(HttpMethod Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string? DeduplicationId => Headers.GetValueOrDefault("Upstash-Deduplication-Id");
}

/// <summary>A service that answers in turn what a test says; the last answer stays.</summary>
internal sealed class Stub(params Func<CancellationToken, Task<HttpResponseMessage>>[] answers) : HttpMessageHandler
{
    private readonly List<Sent> _sent = [];

    public IReadOnlyList<Sent> Sent => _sent;

    public static Func<CancellationToken, Task<HttpResponseMessage>> Answer(int status, string body = "{}", params (string Name, string Value)[] headers) => _ =>
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
            response.Headers.TryAddWithoutValidation(name, value);
        return Task.FromResult(response);
    };

    public static Func<CancellationToken, Task<HttpResponseMessage>> Published(string body = """{"messageId":"msg_1"}""") => Answer(200, body);

    public static Func<CancellationToken, Task<HttpResponseMessage>> Broken() => _ => throw new HttpRequestException("the connection broke");

    /// <summary>A client of it whose waits pass at once.</summary>
    public QStashClient NewClient(TimeProvider? time = null, Action<QStashClientOptions>? configure = null)
    {
        // Without a limit of its own on each attempt, all that waits are retries.
        var options = new QStashClientOptions { BaseUrl = new Uri("http://127.0.0.1"), Token = "t", Timeout = Timeout.InfiniteTimeSpan };
        configure?.Invoke(options);
        return new QStashClient(new HttpClient(this), options, time ?? new JumpingTime());
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        _sent.Add(new Sent(
            request.Method, request.RequestUri!.PathAndQuery,
            request.Headers.ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase), body));
        return await answers[Math.Min(_sent.Count, answers.Length) - 1](cancellationToken);
    }
}

/// <summary>A clock that goes at once to what is waited for.</summary>
internal sealed class JumpingTime : TimeProvider
{
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public List<TimeSpan> Waits { get; } = [];

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public void Pass(TimeSpan time) => _now += time;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            Waits.Add(dueTime);
            _now += dueTime;
            ThreadPool.QueueUserWorkItem(_ => callback(state));
        }

        return new Passed();
    }

    private sealed class Passed : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
