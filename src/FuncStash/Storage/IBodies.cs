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

    /// <summary>Lists payloads that were written between two times, a page at a time, in an order of the store's own.</summary>
    /// <param name="since">Only what was last written at this time or later.</param>
    /// <param name="before">Only what was last written before this.</param>
    /// <param name="after">Where the page before ended (<see cref="BodyPage.Next"/>); null for the first.</param>
    /// <param name="take">At most so many names.</param>
    /// <param name="cancellation">Stops the read.</param>
    ValueTask<BodyPage> ListAsync(
        DateTimeOffset since, DateTimeOffset before, string? after, int take, CancellationToken cancellation = default);
}

/// <summary>Names of payloads, which may be none although more follow.</summary>
/// <param name="Names">The names.</param>
/// <param name="Next">Where to go on; null at the end.</param>
public sealed record BodyPage(IReadOnlyList<string> Names, string? Next);
