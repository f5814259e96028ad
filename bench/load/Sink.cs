using System.Buffers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Bench;

/// <summary>The receiver of all deliveries: notes each one and answers 200, or 503 where a batch asks for it.</summary>
internal sealed class Sink : IAsyncDisposable
{
    private readonly WebApplication _app = Loopback.Server();
    private readonly TimeProvider _time;
    private readonly string _run;
    private readonly Batch?[] _batches = new Batch?[1_000];
    private int _batchCount, _unknown;

    /// <summary>Requests that are no message of this run: broken beyond recognition, or left over from another run.</summary>
    public int Unknown => Volatile.Read(ref _unknown);

    public string Url { get; private set; } = "";

    private Sink(TimeProvider time)
    {
        _time = time;
        _run = Random.Shared.GetHexString(8, lowercase: true);
        _app.Run(ReceiveAsync);
    }

    public static async Task<Sink> StartAsync(TimeProvider time)
    {
        var sink = new Sink(time);
        await sink._app.StartAsync();
        sink.Url = $"http://127.0.0.1:{new Uri(sink._app.Urls.First()).Port}/sink";
        return sink;
    }

    public Batch NewBatch(int messages, int failFirst = 0)
    {
        var batch = new Batch(_run, _batchCount, messages) { FailFirst = failFirst };
        Volatile.Write(ref _batches[_batchCount++], batch);
        return batch;
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync();
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            context.Response.StatusCode = Receive(context.Request, read.Buffer);
            context.Response.ContentLength = 0;
            reader.AdvanceTo(read.Buffer.End);
            return;
        }
    }

    private int Receive(HttpRequest request, ReadOnlySequence<byte> buffer)
    {
        var now = _time.GetTimestamp();
        var body = buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
        if (request.Method == "POST" && request.Path == "/sink" && Batch.TryIdentify(body, _run, out var id, out var seq)
            && Volatile.Read(ref _batches[id]) is { } batch && seq < batch.Capacity)
            return batch.Deliver(seq, body, request.Headers["Upstash-Message-Id"], now);
        Interlocked.Increment(ref _unknown);
        return 200;
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2), _time);
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }
}
