using FuncStash.Storage;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;

namespace FuncStash.Functions.Delivery;

/// <summary>Hides from the host the functions of queues in which the work queue does not lie, which it would poll.</summary>
/// <param name="queues">In how many queues it lies (<c>FUNCSTASH_WORK_QUEUES</c>).</param>
public sealed class TriggersInUse(int queues) : IFunctionMetadataTransformer
{
    private readonly HashSet<string> _unused =
        [.. Enumerable.Range(queues + 1, QueueSpread.Most - queues).Select(number => $"{DeliveryTrigger.Name}{number}")];

    public string Name => nameof(TriggersInUse);

    public void Transform(IList<IFunctionMetadata> original)
    {
        for (var i = original.Count - 1; i >= 0; i--)
        {
            if (original[i].Name is { } name && _unused.Contains(name))
                original.RemoveAt(i);
        }
    }
}
