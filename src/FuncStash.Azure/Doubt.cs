using Azure.Core;
using Azure.Core.Pipeline;

namespace FuncStash.Azure;

/// <summary>
/// Whether a try of an operation failed in a way that leaves open if the service did it: no answer, or an answer that
/// is the server's fault. The client library repeats such a try by itself, and the repetition may then fail only
/// because the first one had succeeded.
/// </summary>
internal sealed class Doubt
{
    private static readonly AsyncLocal<Doubt?> s_current = new();

    /// <summary>Some try is in doubt.</summary>
    public bool Raised { get; private set; }

    /// <summary>Watches the tries of what the calling async method does from here on.</summary>
    public static Doubt Watch() => s_current.Value = new Doubt();

    public static void Raise()
    {
        if (s_current.Value is { } doubt)
            doubt.Raised = true;
    }
}

/// <summary>Raises <see cref="Doubt"/>. Runs once a try.</summary>
internal sealed class DoubtPolicy : HttpPipelinePolicy
{
    public static readonly DoubtPolicy Instance = new();

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        try
        {
            ProcessNext(message, pipeline);
        }
        catch
        {
            Doubt.Raise();
            throw;
        }
        Inspect(message);
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        try
        {
            await ProcessNextAsync(message, pipeline);
        }
        catch
        {
            Doubt.Raise();
            throw;
        }
        Inspect(message);
    }

    private static void Inspect(HttpMessage message)
    {
        if (message.Response.Status is 408 or >= 500)
            Doubt.Raise();
    }
}
