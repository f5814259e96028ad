using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>
/// A work-queue message that the host holds, and deletes when the step is done. To come again it has to be sent anew; a
/// step that is not done leaves it to the host, which gives it again.
/// </summary>
/// <remarks>Never handed to a store: <see cref="MessageStore"/> does what its end asks for.</remarks>
public sealed class HostLease(string text, string queue = WorkItem.Queue) : Lease(queue, text, dequeueCount: 1);
