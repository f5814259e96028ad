using Azure.Core;
using Azure.Core.Pipeline;

namespace FuncStash.Storage.Tests;

/// <summary>Lets a request through to the service and then loses its answer, once for each method named.</summary>
internal sealed class LostAnswers(params RequestMethod[] methods) : HttpPipelinePolicy
{
    private readonly List<RequestMethod> _losses = [.. methods];

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        ProcessNext(message, pipeline);
        Lose(message);
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        Lose(message);
    }

    private void Lose(HttpMessage message)
    {
        lock (_losses)
            if (_losses.Remove(message.Request.Method))
                throw new IOException("The answer was lost.");
    }
}
