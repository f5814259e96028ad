using Azure.Core;
using Azure.Core.Pipeline;

namespace FuncStash.Storage.Tests;

/// <summary>Lets the first request with this method through to the service and cancels its caller before the answer comes.</summary>
internal sealed class HangUp(RequestMethod method) : HttpPipelinePolicy, IDisposable
{
    private readonly CancellationTokenSource _caller = new();

    public CancellationToken Caller => _caller.Token;

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        throw new NotSupportedException("the store sends nothing synchronously");

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        if (message.Request.Method != method)
            return;
        await _caller.CancelAsync();
        message.CancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose() => _caller.Dispose();
}
