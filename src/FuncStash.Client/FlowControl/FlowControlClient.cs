namespace FuncStash.Client;

/// <summary>The state of flow-control keys. Safe for use by many threads.</summary>
public class FlowControlClient
{
    private const string Path = "/v2/flowControl";
    private readonly Transport _transport;

    internal FlowControlClient(Transport transport) => _transport = transport;

    /// <summary>For stand-ins in tests, which override what they need.</summary>
    protected FlowControlClient() => _transport = null!;

    /// <summary>All keys.</summary>
    /// <param name="search">A part that their names have; null for all.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The keys.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<IReadOnlyList<FlowControlInfo>> ListAsync(string? search = null, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(
            ApiRequest.Get(Path + new QueryText().Add("search", search)), WireJson.Default.IReadOnlyListFlowControlInfo, cancellationToken);

    /// <summary>One key.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The key.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual Task<FlowControlInfo> GetAsync(string key, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Get(Of(key)), WireJson.Default.FlowControlInfo, cancellationToken);

    /// <summary>How many deliveries the whole account has under way.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The numbers.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<GlobalParallelismInfo> GetGlobalParallelismAsync(CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Get("/v2/globalParallelism"), WireJson.Default.GlobalParallelismInfo, cancellationToken);

    /// <summary>Delivers nothing of a key until it is resumed.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is paused.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task PauseAsync(string key, CancellationToken cancellationToken = default) => SetAsync(Of(key, "pause"), cancellationToken);

    /// <summary>Resumes a paused key.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is resumed.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task ResumeAsync(string key, CancellationToken cancellationToken = default) => SetAsync(Of(key, "resume"), cancellationToken);

    /// <summary>Fixes limits of a key, whatever messages bring, until they are unpinned; a new period begins.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="parallelism">How many deliveries may wait for answers at a time, 1 or more; null to leave it unpinned.</param>
    /// <param name="rate">How many may start in a period, 1 or more; null to leave it unpinned.</param>
    /// <param name="period">The period of the rate, in whole seconds, at most a week; 1 second when null.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when they are pinned.</returns>
    /// <exception cref="QStashRequestException">400 for numbers that cannot be.</exception>
    public virtual Task PinAsync(
        string key, int? parallelism = null, int? rate = null, TimeSpan? period = null, CancellationToken cancellationToken = default) =>
        SetAsync(
            Of(key, "pin") + new QueryText().Add("parallelism", parallelism).Add("rate", rate)
                .Add("period", DurationText.SecondCount(period, nameof(period))),
            cancellationToken);

    /// <summary>Lets messages set limits of a key again; the pinned ones hold until the next message brings its own.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="parallelism">Whether the parallelism is unpinned.</param>
    /// <param name="rate">Whether rate and period are unpinned.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when they are unpinned.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task UnpinAsync(string key, bool parallelism = true, bool rate = true, CancellationToken cancellationToken = default) =>
        SetAsync(
            Of(key, "unpin") + new QueryText().Add("parallelism", parallelism ? "true" : "false").Add("rate", rate ? "true" : "false"),
            cancellationToken);

    /// <summary>Begins a new period of a key now, with nothing counted.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it has begun.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task ResetRateAsync(string key, CancellationToken cancellationToken = default) =>
        SetAsync(Of(key, "resetRate"), cancellationToken);

    private Task SetAsync(string target, CancellationToken cancellation) =>
        _transport.SendAsync(ApiRequest.Set(HttpMethod.Post, target), cancellation);

    private static string Of(string key, string? end = null) => RequestPath.Of(Path + "/", key, end, nameof(key));
}
