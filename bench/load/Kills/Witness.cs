using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Bench.Kills;

/// <summary>The receiver: answers each request as its message's note says, and keeps what it saw.</summary>
internal sealed class Witness : IAsyncDisposable
{
    private const int MostBody = 8 * 1024 * 1024;

    private readonly WebApplication _app = Loopback.Server(MostBody);
    private readonly Lives _lives;
    private readonly Traffic _traffic;
    private readonly Clock _clock;
    private readonly ConcurrentQueue<Arrival> _arrivals = new();
    private int _unknown;

    public string Url { get; private set; } = "";

    /// <summary>Requests that are none of this run's.</summary>
    public int Unknown => Volatile.Read(ref _unknown);

    public IReadOnlyList<Arrival> Arrivals => [.. _arrivals];

    public int Count => _arrivals.Count;

    private Witness(Lives lives, Traffic traffic, Clock clock) => (_lives, _traffic, _clock) = (lives, traffic, clock);

    public static async Task<Witness> StartAsync(Lives lives, Traffic traffic, Clock clock)
    {
        var witness = new Witness(lives, traffic, clock);
        witness._app.Run(witness.ReceiveAsync);
        await witness._app.StartAsync();
        witness.Url = $"http://127.0.0.1:{new Uri(witness._app.Urls.First()).Port}";
        return witness;
    }

    /// <summary>Where what concerns a message, or a schedule, is to go.</summary>
    public static string PathOf(Role role, int number) => string.Create(CultureInfo.InvariantCulture, $"/{role}/{number}");

    private async Task ReceiveAsync(HttpContext context)
    {
        var at = _clock.Now;
        var (request, response) = (context.Request, context.Response);
        if (Read(request, at) is not { } arrival)
        {
            Interlocked.Increment(ref _unknown);
            return;
        }
        var note = arrival.Role == Role.Scheduled ? null : _traffic[arrival.Number];
        var status = note is null ? 200
            : arrival.Role == Role.Message ? note.StatusOf(arrival.Retried)
            : arrival.Retried < note.CallbackFails ? 500 : 200;
        arrival = arrival with { Status = status };
        try
        {
            arrival = Compare(arrival, note, await BodyAsync(request));
            _arrivals.Enqueue(arrival);
            if (note is { HoldMs: > 0 } && arrival.Role == Role.Message)
                await _clock.DelayAsync(note.HoldMs, context.RequestAborted);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or BadHttpRequestException)
        {
            return; // Its server was killed: half a request is no attempt, an unanswered one is.
        }
        response.StatusCode = status;
        response.ContentLength = 0;
        if (status == 489)
            response.Headers["Upstash-NonRetryable-Error"] = "true";
        arrival.AnsweredAt = _clock.Now;
        if (note is not null && arrival.Role == Role.Message && arrival.Retried == note.Last)
            _traffic.Ended(note);
    }

    private Arrival? Read(HttpRequest request, double at) =>
        request.Path.Value?.Split('/') is ["", var role, var number]
            && Enum.TryParse<Role>(role, out var known)
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            && (known == Role.Scheduled || n < _traffic.Count)
            && int.TryParse(request.Headers["Upstash-Retried"], NumberStyles.None, CultureInfo.InvariantCulture, out var retried)
            && _lives.OfRegion(request.Headers["Upstash-Region"].ToString()) is var life and >= 0
            ? new Arrival(known, n, request.Headers["Upstash-Message-Id"].ToString(), retried, life, at) : null;

    private static async Task<byte[]> BodyAsync(HttpRequest request)
    {
        var body = new byte[request.ContentLength ?? 0];
        await request.Body.ReadExactlyAsync(body);
        return body;
    }

    private static Arrival Compare(Arrival arrival, Note? note, byte[] body)
    {
        if (note is null)
            return arrival with { Altered = !body.AsSpan().SequenceEqual(Note.BodyOf(arrival.Number, Schedules.Bytes)) };
        var published = Note.BodyOf(note.Seq, note.Bytes);
        if (arrival.Role == Role.Message)
            return arrival with { Altered = !body.AsSpan().SequenceEqual(published) };
        try
        {
            using var json = JsonDocument.Parse(body);
            var told = json.RootElement;
            var attempt = told.GetProperty("retried").GetInt32();
            var same = told.GetProperty("sourceBody").GetBytesFromBase64().AsSpan().SequenceEqual(published)
                && told.GetProperty("status").GetInt32() == note.StatusOf(attempt)
                && (note.Id is null || told.GetProperty("sourceMessageId").GetString() == note.Id);
            return arrival with { Attempt = attempt, Altered = !same };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return arrival with { Altered = true };
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2), _clock.Time);
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }
}
