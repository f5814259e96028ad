namespace FuncStash.Storage;

/// <summary>Payloads too big for an entity, by name. Names follow the rules of entity keys.</summary>
public interface IBodies
{
    /// <summary>Stores a payload; an existing one of that name is replaced. Durable once this returns.</summary>
    ValueTask PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation = default);

    /// <summary>Reads a payload; null when it is not there.</summary>
    ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellation = default);

    /// <summary>Removes a payload; one that is not there is no error.</summary>
    ValueTask DeleteAsync(string name, CancellationToken cancellation = default);
}
