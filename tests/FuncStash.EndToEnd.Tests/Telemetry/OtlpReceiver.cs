using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FuncStash.EndToEnd.Tests.Telemetry;

/// <summary>A collector of traces and metrics: OTLP over HTTP in protocol buffers. It keeps the latest state of each metric.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    public string Url => _app.Urls.Single();

    public ConcurrentQueue<Span> Spans { get; } = new();

    public ConcurrentDictionary<string, Metric> Metrics { get; } = new();

    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        await receiver._app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var export = new Protobuf(body.ToArray());
        // The numbers are those of opentelemetry-proto: resource, scope, then spans or metrics.
        foreach (var resource in export.Messages(1))
        {
            var service = AttributesOf(resource.Messages(1).Single(), 1).GetValueOrDefault("service.name", "");
            foreach (var item in resource.Messages(2).SelectMany(scope => scope.Messages(2)))
            {
                if (context.Request.Path == "/v1/traces")
                    Spans.Enqueue(new(service, item.Text(5), item.Hex(1), item.Hex(2), item.Hex(4), AttributesOf(item, 9)));
                else if (context.Request.Path == "/v1/metrics")
                    Metrics[item.Text(1)] = new(item.Text(3), CountOf(item));
            }
        }
        context.Response.ContentType = "application/x-protobuf";
    }

    // A sum's values, or how many values a histogram has.
    private static long CountOf(Protobuf metric) =>
        metric.Messages(7).SelectMany(sum => sum.Messages(1)).Sum(point => (long)point.Number(6))
        + metric.Messages(9).SelectMany(histogram => histogram.Messages(1)).Sum(point => (long)point.Number(4));

    private static Dictionary<string, string> AttributesOf(Protobuf owner, int field) =>
        owner.Messages(field).ToDictionary(pair => pair.Text(1), pair => pair.Messages(2).Single().Text(1));
}

internal sealed record Span(
    string Service, string Name, string TraceId, string Id, string ParentId, IReadOnlyDictionary<string, string> Attributes);

internal sealed record Metric(string Unit, long Count);
