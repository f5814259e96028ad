using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Destinations;

/// <summary>
/// Tells of a URL, when it is accepted, whether deliveries could ever reach it: whoever gives it hears so at once, and
/// not from a dead letter.
/// </summary>
/// <remarks>What a name resolves to is looked at again at each delivery (<see cref="DestinationConnector"/>): it may have changed.</remarks>
public sealed class DestinationCheck(AddressPolicy policy, KnownHosts hosts, FuncStashOptions options)
{
    /// <summary>Begins what <see cref="RefusalAsync"/> will wait for, so that it does not wait for one URL after another.</summary>
    /// <param name="text">A URL; for anything else there is nothing to look up.</param>
    public void Begin(string text)
    {
        if (options.ChecksHosts && text.Contains("://", StringComparison.Ordinal) && hosts.Find(HostIn(text)) is null
            && HttpUrl.IsValid(text, out _) && policy.RefusalOfHost(text, out var name) is null && name is not null)
            hosts.Begin(name);
    }

    /// <summary>Why a valid URL cannot be delivered to; null when it can, or when nobody can tell.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="resolves">False to leave out what takes a lookup.</param>
    /// <param name="cancellation">Stops the wait for the lookup.</param>
    public async ValueTask<string?> RefusalAsync(string url, bool resolves = true, CancellationToken cancellation = default)
    {
        resolves &= options.ChecksHosts;
        // Only names that may be looked up are remembered.
        if (resolves && hosts.Find(HostIn(url)) is { } known)
            return Told(known);
        if (policy.RefusalOfHost(url, out var name) is { } refusal)
            return WithAdvice(refusal);
        return resolves && name is not null ? Told(await hosts.FindAsync(name, cancellation)) : null;
    }

    private static string? Told(HostFinding finding) =>
        finding is { Exists: true, Refusal: { } refusal } ? WithAdvice(refusal) : finding.Refusal;

    private static string WithAdvice(string refusal) => $"{refusal}, or in a network that FUNCSTASH_ALLOWED_NETWORKS names";

    /// <summary>The host as it stands in the URL, without the port.</summary>
    private static ReadOnlySpan<char> HostIn(string url)
    {
        var authority = url.AsSpan(WrittenUrl.Authority(url)..WrittenUrl.Path(url));
        var port = authority.LastIndexOf(':');
        return port < 0 ? authority : authority[..port];
    }
}
