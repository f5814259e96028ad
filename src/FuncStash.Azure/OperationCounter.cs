using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Azure.Core;
using Azure.Core.Pipeline;

namespace FuncStash.Azure;

/// <summary>
/// Counts the storage operations of a store by kind, each try of a retry for itself: what Azure bills. Set it as
/// <see cref="AzureStoreOptions.OperationPolicy"/>. The counts also feed the metric <c>funcstash.storage.operations</c>
/// (meter <see cref="MeterName"/>, tag <c>operation</c>).
/// </summary>
/// <remarks>
/// The kinds: <c>table</c> create, get, query, insert, upsert, replace, delete, transaction; <c>queue</c> create, send,
/// receive, empty receive, update, delete, count; <c>blob</c> create, put, get, delete; and <c>other</c> of each.
/// </remarks>
public sealed class OperationCounter : HttpPipelinePolicy
{
    /// <summary>The name of the meter, for whoever listens.</summary>
    public const string MeterName = "FuncStash.Storage";

    private static readonly Meter s_meter = new(MeterName);

    private static readonly Counter<long> s_metric = s_meter.CreateCounter<long>(
        "funcstash.storage.operations", "{operation}", "Requests to the storage account.");

    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>How often an operation, such as <c>table insert</c>, was sent so far.</summary>
    public long this[string operation] => _counts.GetValueOrDefault(operation);

    /// <summary>All counts up to now, by operation.</summary>
    public IReadOnlyDictionary<string, long> Snapshot() => new SortedDictionary<string, long>(_counts, StringComparer.Ordinal);

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        try
        {
            ProcessNext(message, pipeline);
        }
        finally
        {
            Count(message);
        }
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        try
        {
            await ProcessNextAsync(message, pipeline);
        }
        finally
        {
            Count(message);
        }
    }

    private void Count(HttpMessage message)
    {
        var operation = OperationName.Of(message);
        _counts.AddOrUpdate(operation, 1, (_, count) => count + 1);
        s_metric.Add(1, new KeyValuePair<string, object?>("operation", operation));
    }
}
