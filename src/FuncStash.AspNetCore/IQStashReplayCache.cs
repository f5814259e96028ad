namespace FuncStash.AspNetCore;

/// <summary>
/// Remembers signatures that were used, so that a request cannot be sent again by one who saw it. Register one to have it
/// asked; without, a request is accepted again until its signature expires, 5 minutes after it was made.
/// </summary>
/// <remarks>
/// The service signs each attempt anew, so that its own retries are not refused. An app of several instances needs a store
/// that they share, and an operation in it that adds only what is not there, such as Redis's <c>SET … NX EX</c>.
/// </remarks>
public interface IQStashReplayCache
{
    /// <summary>Remembers a signature, at once and for all who ask.</summary>
    /// <param name="tokenId">Its id (claim <c>jti</c>).</param>
    /// <param name="expiresAt">From when on it need not be remembered, for it has expired; the clock skew is part of it.</param>
    /// <param name="cancellationToken">Ends the wait, when the caller is gone.</param>
    /// <returns>True when it was new; false when it had been used.</returns>
    ValueTask<bool> TryUseAsync(string tokenId, DateTimeOffset expiresAt, CancellationToken cancellationToken);
}
