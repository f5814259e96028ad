using Azure.Core;
using Azure.Core.Pipeline;

namespace FuncStash.Azure;

/// <summary>What the clients of the three services have in common.</summary>
internal static class Pipeline
{
    /// <summary>Exponential backoff from 0.2 s to 5 s, six tries in all; the service's Retry-After is obeyed.</summary>
    public static T Configure<T>(T client, string service, AzureStoreOptions options, HttpPipelineTransport transport)
        where T : ClientOptions
    {
        client.Transport = transport;
        client.Retry.Mode = RetryMode.Exponential;
        client.Retry.MaxRetries = 5;
        client.Retry.Delay = TimeSpan.FromMilliseconds(200);
        client.Retry.MaxDelay = TimeSpan.FromSeconds(5);
        client.Retry.NetworkTimeout = TimeSpan.FromSeconds(30);
        client.Diagnostics.IsTelemetryEnabled = false;
        client.AddPolicy(new ServiceLabel(service), HttpPipelinePosition.PerCall);
        client.AddPolicy(DoubtPolicy.Instance, HttpPipelinePosition.PerRetry);
        if (options.OperationPolicy is { } policy)
            client.AddPolicy(policy, HttpPipelinePosition.PerRetry);
        return client;
    }

    /// <summary>The library's own transport stops at 50 connections a server, fewer than a busy process can use.</summary>
    public static HttpClient CreateHttpClient(AzureStoreOptions options) => new(new SocketsHttpHandler
    {
        MaxConnectionsPerServer = Math.Max(1, options.MaxConnections / 3),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(5),
        AllowAutoRedirect = false,
        UseCookies = false,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };
}

/// <summary>Writes on each request which service it is for: Azurite's addresses do not tell.</summary>
internal sealed class ServiceLabel(string service) : HttpPipelinePolicy
{
    private const string Key = "FuncStash.Service";

    public static string? Of(HttpMessage message) =>
        message.TryGetProperty(Key, out var value) ? value as string : null;

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        message.SetProperty(Key, service);
        ProcessNext(message, pipeline);
    }

    public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        message.SetProperty(Key, service);
        return ProcessNextAsync(message, pipeline);
    }
}
