using System.Runtime.CompilerServices;
using FuncStash.Azure;
using FuncStash.Telemetry;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FuncStash.Server;

/// <summary>
/// Sends traces, metrics and logs by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says. The other variables of the
/// OpenTelemetry specification hold too: <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, <c>OTEL_EXPORTER_OTLP_HEADERS</c>,
/// <c>OTEL_SERVICE_NAME</c>, <c>OTEL_TRACES_SAMPLER</c>, ...
/// </summary>
internal static class OtlpExport
{
    public static bool IsWanted => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"));

    // Not inlined, so that a server without it does not even load the libraries.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Add(WebApplicationBuilder builder)
    {
        // Where the exporter looks for its variables.
        builder.Configuration.AddEnvironmentVariables();
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource
                .AddService("funcstash", serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString(3))
                // Again and last, so that what the operator says wins.
                .AddEnvironmentVariableDetector())
            .WithTracing(traces => traces.AddSource(Tracing.SourceName))
            .WithMetrics(metrics => metrics
                .AddMeter(Metrics.MeterName, OperationCounter.MeterName, "System.Runtime", "Microsoft.AspNetCore.Hosting"))
            .UseOtlpExporter();
    }
}
