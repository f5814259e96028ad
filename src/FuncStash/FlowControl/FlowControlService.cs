using FuncStash.Admission;
using FuncStash.Wire;

namespace FuncStash.FlowControl;

/// <summary>A flow-control key, its limits and how far they are used (protocol#flow-control-calls).</summary>
/// <param name="Waiting">Messages that wait for a place.</param>
/// <param name="Parallelism">Most deliveries in flight; null for no limit.</param>
/// <param name="InFlight">Deliveries in flight.</param>
/// <param name="Rate">Most deliveries started in a period; null for no limit.</param>
/// <param name="RateCount">Deliveries started in this period.</param>
/// <param name="PeriodSeconds">The length of a period, in seconds.</param>
/// <param name="PeriodStart">When the latest period began, in unix milliseconds.</param>
public sealed record FlowControlInfo(
    string Key, int Waiting, int? Parallelism, int InFlight, int? Rate, int RateCount, int PeriodSeconds, long PeriodStart,
    bool Paused, bool PinnedParallelism, bool PinnedRate)
{
    /// <param name="now">Unix milliseconds.</param>
    public static FlowControlInfo Of(string key, GateState state, long now) => new(
        key, state.Waiting, state.Parallelism, state.Inside.Count, state.Rate, state.CountAt(now), state.Period, state.PeriodStart,
        state.Paused, state.PinnedParallelism, state.PinnedRate);
}

/// <summary>Manages flow-control keys: gates that let a message in for one attempt at a time.</summary>
public sealed class FlowControlService(Gates gates, TimeProvider time)
{
    /// <summary>The keys in the order of their names.</summary>
    /// <param name="containing">Only those whose name contains this, whatever its case; null for all.</param>
    public IAsyncEnumerable<FlowControlInfo> ListAsync(string? containing, CancellationToken cancellation = default) =>
        gates.ListAsync(GateKind.FlowKey, containing, cancellation).Select(gate => FlowControlInfo.Of(gate.Name, gate.State, Now));

    public async ValueTask<FlowControlInfo?> GetAsync(string key, CancellationToken cancellation = default) =>
        await gates.GetAsync(GateKind.FlowKey, key, cancellation) is { } state ? FlowControlInfo.Of(key, state, Now) : null;

    /// <summary>Refuses what cannot be a key.</summary>
    /// <exception cref="QStashException">400.</exception>
    public static string Checked(string key) => ResourceName.IsValid(key)
        ? key
        : throw QStashException.BadRequest($"invalid flow control key: {key}: it is {ResourceName.Rule}");

    /// <summary>Who is in at a key and who is next, so many of either; null when there is no such key.</summary>
    public ValueTask<GateLine?> LineAsync(string key, int take, CancellationToken cancellation = default) =>
        gates.LineAsync(GateKind.FlowKey, key, take, cancellation);

    /// <summary>Holds the key's messages back, or lets them go on.</summary>
    public Task SetPausedAsync(string key, bool paused) => ChangeAsync(key, state => GateRules.Pause(state, paused, Now));

    /// <summary>Fixes limits, which messages then do not change; what is null stays as it is. Begins a new rate period.</summary>
    /// <param name="periodSeconds">The period of the rate, in seconds; a second where it is null.</param>
    /// <exception cref="QStashException">400 when neither limit is given.</exception>
    public Task PinAsync(string key, int? parallelism, int? rate, int? periodSeconds) => parallelism is null && rate is null
        ? throw QStashException.BadRequest("pin needs parallelism or rate")
        : ChangeAsync(key, state =>
        {
            state = GateRules.ResetRate(state, Now);
            if (parallelism is not null)
                state = state with { Parallelism = parallelism, PinnedParallelism = true };
            return rate is null ? state : state with { Rate = rate, Period = periodSeconds ?? 1, PinnedRate = true };
        });

    /// <summary>Lets messages change these limits again; until one does they stay.</summary>
    public Task UnpinAsync(string key, bool parallelism, bool rate) => ChangeAsync(key, state => state with
    {
        PinnedParallelism = state.PinnedParallelism && !parallelism,
        PinnedRate = state.PinnedRate && !rate,
    });

    /// <summary>Begins a new rate period with nothing counted.</summary>
    public Task ResetRateAsync(string key) => ChangeAsync(key, state => GateRules.ResetRate(state, Now));

    private Task ChangeAsync(string key, Func<GateState, GateState> change) => gates.ChangeAsync(GateKind.FlowKey, Checked(key), change);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
