using Azure.Core;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using FuncStash.Azure;
using FuncStash.Telemetry;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;

namespace FuncStash.Functions;

/// <summary>Traces, metrics and logs: to Application Insights, to an OTLP collector, or, with neither, the logs to the host.</summary>
internal static class Telemetry
{
    private const string ClientId = "ClientId=";

    public static void AddTelemetry(this FunctionsApplicationBuilder builder, Func<string, string?> setting)
    {
        var insights = setting("APPLICATIONINSIGHTS_CONNECTION_STRING");
        var hasCollector = !string.IsNullOrEmpty(setting("OTEL_EXPORTER_OTLP_ENDPOINT"));
        if (string.IsNullOrEmpty(insights) && !hasCollector)
            return;
        var telemetry = builder.Services.AddOpenTelemetry()
            .UseFunctionsWorkerDefaults()
            .WithTracing(tracing => tracing.AddSource(Tracing.SourceName))
            .WithMetrics(metrics => metrics.AddMeter(Metrics.MeterName, OperationCounter.MeterName));
        if (!string.IsNullOrEmpty(insights))
        {
            telemetry.UseAzureMonitorExporter(exporter =>
            {
                exporter.ConnectionString = insights;
                exporter.Credential = CredentialFor(setting("APPLICATIONINSIGHTS_AUTHENTICATION_STRING"));
            });
        }
        if (hasCollector)
            telemetry.UseOtlpExporter();
    }

    // "ClientId=ID;Authorization=AAD", or "Authorization=AAD" for the system's identity; the same text the host reads.
    private static ManagedIdentityCredential? CredentialFor(string? authentication)
    {
        var parts = authentication?.Split(';', StringSplitOptions.TrimEntries) ?? [];
        if (!parts.Contains("Authorization=AAD", StringComparer.OrdinalIgnoreCase))
            return null;
        var id = parts.FirstOrDefault(part => part.StartsWith(ClientId, StringComparison.OrdinalIgnoreCase))?[ClientId.Length..];
        return new ManagedIdentityCredential(string.IsNullOrEmpty(id)
            ? ManagedIdentityId.SystemAssigned
            : ManagedIdentityId.FromUserAssignedClientId(id));
    }
}
