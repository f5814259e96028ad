using System.Text.Json;
using FuncStash.Access;
using FuncStash.Destinations;
using FuncStash.FlowControl;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>/v2/flowControl</c> and <c>/v2/globalParallelism</c> (protocol#flow-control-calls).</summary>
public sealed class FlowControlResource(FlowControlService keys, DestinationLanes lanes, PageAnswer pages, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/flowControl", AccessLevel.Read, ListAsync),
        new("GET", "/v2/flowControl/{key}", AccessLevel.Read, GetAsync),
        new("GET", "/v2/flowControl/{key}/line", AccessLevel.Read, LineAsync),
        new("POST", "/v2/flowControl/{key}/pause", AccessLevel.Full, call => ChangeAsync(call, key => keys.SetPausedAsync(key, true))),
        new("POST", "/v2/flowControl/{key}/resume", AccessLevel.Full, call => ChangeAsync(call, key => keys.SetPausedAsync(key, false))),
        new("POST", "/v2/flowControl/{key}/pin", AccessLevel.Full, PinAsync),
        new("POST", "/v2/flowControl/{key}/unpin", AccessLevel.Full, UnpinAsync),
        new("POST", "/v2/flowControl/{key}/resetRate", AccessLevel.Full, call => ChangeAsync(call, keys.ResetRateAsync)),
        // The changelog's name of it, which no SDK calls.
        new("POST", "/v2/flowControl/{key}/reset", AccessLevel.Full, call => ChangeAsync(call, keys.ResetRateAsync)),
        new("GET", "/v2/globalParallelism", AccessLevel.Read, GlobalAsync),
    ];

    private Task ListAsync(ApiCall call) =>
        pages.WriteAllAsync(call, keys.ListAsync(call.Target["search"], call.Aborted), Write);

    private async Task GetAsync(ApiCall call)
    {
        var key = KeyOf(call);
        var info = await keys.GetAsync(key, call.Aborted) ?? throw QStashException.NotFound($"flow control key {key} not found");
        await call.JsonAsync(200, json => Write(json, info));
    }

    // Not part of QStash.
    private async Task LineAsync(ApiCall call) => await LineAnswer.WriteAsync(
        call, await keys.LineAsync(KeyOf(call), LineAnswer.CountOf(call), call.Aborted)
            ?? throw QStashException.NotFound($"flow control key {call.Values[0]} not found"));

    private async Task PinAsync(ApiCall call)
    {
        var limits = PinnedLimits.Parse(call.Target["parallelism"], call.Target["rate"], call.Target["period"]);
        await ChangeAsync(call, key => keys.PinAsync(key, limits.Parallelism, limits.Rate, limits.PeriodSeconds));
    }

    private async Task UnpinAsync(ApiCall call)
    {
        var (parallelism, rate) = (Flag(call, "parallelism"), Flag(call, "rate"));
        await ChangeAsync(call, key => keys.UnpinAsync(key, parallelism, rate));
    }

    private static async Task ChangeAsync(ApiCall call, Func<string, Task> change)
    {
        await change(KeyOf(call));
        await call.OkAsync();
    }

    private Task GlobalAsync(ApiCall call) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("parallelismMax", options.MaxParallelism);
        json.WriteNumber("parallelismCount", lanes.InFlight);
        json.WriteEndObject();
    });

    private static string KeyOf(ApiCall call) => FlowControlService.Checked(call.Values[0]);

    private static bool Flag(ApiCall call, string name) => call.Target[name] switch
    {
        null or "" => false,
        var text when bool.TryParse(text, out var value) => value,
        var text => throw QStashException.BadRequest($"invalid {name}: {text}: must be true or false"),
    };

    private static void Write(Utf8JsonWriter json, FlowControlInfo info)
    {
        json.WriteStartObject();
        json.WriteString("flowControlKey", info.Key);
        json.WriteNumber("waitListSize", info.Waiting);
        json.WriteNumber("parallelismMax", info.Parallelism ?? 0);
        json.WriteNumber("parallelismCount", info.InFlight);
        json.WriteNumber("rateMax", info.Rate ?? 0);
        json.WriteNumber("rateCount", info.RateCount);
        json.WriteNumber("ratePeriod", info.PeriodSeconds);
        json.WriteNumber("ratePeriodStart", info.PeriodStart / 1000);
        json.WriteBoolean("isPaused", info.Paused);
        json.WriteBoolean("isPinnedParallelism", info.PinnedParallelism);
        json.WriteBoolean("isPinnedRate", info.PinnedRate);
        json.WriteEndObject();
    }
}
