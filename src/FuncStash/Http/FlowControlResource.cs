using System.Globalization;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.Admission;
using FuncStash.Delivery;
using FuncStash.FlowControl;
using FuncStash.Publishing;

namespace FuncStash.Http;

/// <summary><c>/v2/flowControl</c> and <c>/v2/globalParallelism</c> (contract §11.2).</summary>
public sealed class FlowControlResource(Gates gates, DestinationLanes lanes, FuncStashOptions options, TimeProvider time) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/flowControl", AccessLevel.Read, ListAsync),
        new("GET", "/v2/flowControl/{key}", AccessLevel.Read, GetAsync),
        new("POST", "/v2/flowControl/{key}/pause", AccessLevel.Full, call => ChangeAsync(call, s => s with { Paused = true })),
        new("POST", "/v2/flowControl/{key}/resume", AccessLevel.Full, call => ChangeAsync(call, s => s with { Paused = false })),
        new("POST", "/v2/flowControl/{key}/pin", AccessLevel.Full, PinAsync),
        new("POST", "/v2/flowControl/{key}/unpin", AccessLevel.Full, UnpinAsync),
        new("POST", "/v2/flowControl/{key}/resetRate", AccessLevel.Full, call => ChangeAsync(call, s => GateRules.ResetRate(s, Now))),
        // The changelog's name of it, which no SDK calls.
        new("POST", "/v2/flowControl/{key}/reset", AccessLevel.Full, call => ChangeAsync(call, s => GateRules.ResetRate(s, Now))),
        new("GET", "/v2/globalParallelism", AccessLevel.Read, GlobalAsync),
    ];

    private async Task ListAsync(ApiCall call)
    {
        var found = await gates.ListAsync(GateKind.FlowKey, call.Target["search"], call.Aborted);
        await call.JsonListAsync(found, (json, key) => Write(json, key.Name, key.State));
    }

    private async Task GetAsync(ApiCall call)
    {
        var key = KeyOf(call);
        var state = await gates.GetAsync(GateKind.FlowKey, key, call.Aborted)
            ?? throw QStashException.NotFound($"flow control key {key} not found");
        await call.JsonAsync(200, json => Write(json, key, state));
    }

    private async Task PinAsync(ApiCall call)
    {
        var parallelism = Number(call, "parallelism", int.MaxValue);
        var rate = Number(call, "rate", int.MaxValue);
        var period = Number(call, "period", FlowControlValue.MaxPeriodSeconds);
        if (parallelism is null && rate is null)
            throw QStashException.BadRequest("pin needs parallelism or rate");
        await ChangeAsync(call, state =>
        {
            state = GateRules.ResetRate(state, Now);
            if (parallelism is not null)
                state = state with { Parallelism = parallelism, PinnedParallelism = true };
            return rate is null ? state : state with { Rate = rate, Period = period ?? 1, PinnedRate = true };
        });
    }

    private async Task UnpinAsync(ApiCall call)
    {
        var (parallelism, rate) = (Flag(call, "parallelism"), Flag(call, "rate"));
        await ChangeAsync(call, state => state with
        {
            PinnedParallelism = state.PinnedParallelism && !parallelism,
            PinnedRate = state.PinnedRate && !rate,
        });
    }

    private async Task ChangeAsync(ApiCall call, Func<GateState, GateState> change)
    {
        await gates.ChangeAsync(GateKind.FlowKey, KeyOf(call), change);
        await call.OkAsync();
    }

    private Task GlobalAsync(ApiCall call) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("parallelismMax", options.MaxParallelism);
        json.WriteNumber("parallelismCount", lanes.InFlight);
        json.WriteEndObject();
    });

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static string KeyOf(ApiCall call) => ResourceName.IsValid(call.Values[0])
        ? call.Values[0]
        : throw QStashException.BadRequest($"invalid flow control key: {call.Values[0]}: it is {ResourceName.Rule}");

    private static int? Number(ApiCall call, string name, int max)
    {
        if (call.Target[name] is not { } text)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 && value <= max
            ? value
            : throw QStashException.BadRequest($"invalid {name}: {text}: must be a number from 1 to {max}");
    }

    private static bool Flag(ApiCall call, string name) => call.Target[name] switch
    {
        null or "" => false,
        var text when bool.TryParse(text, out var value) => value,
        var text => throw QStashException.BadRequest($"invalid {name}: {text}: must be true or false"),
    };

    private void Write(Utf8JsonWriter json, string key, GateState state)
    {
        json.WriteStartObject();
        json.WriteString("flowControlKey", key);
        json.WriteNumber("waitListSize", state.Waiting);
        json.WriteNumber("parallelismMax", state.Parallelism ?? 0);
        json.WriteNumber("parallelismCount", state.Inside.Count);
        json.WriteNumber("rateMax", state.Rate ?? 0);
        json.WriteNumber("rateCount", state.CountAt(Now));
        json.WriteNumber("ratePeriod", state.Period);
        json.WriteNumber("ratePeriodStart", state.PeriodStart / 1000);
        json.WriteBoolean("isPaused", state.Paused);
        json.WriteBoolean("isPinnedParallelism", state.PinnedParallelism);
        json.WriteBoolean("isPinnedRate", state.PinnedRate);
        json.WriteEndObject();
    }
}
