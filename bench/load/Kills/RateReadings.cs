using System.Text.Json;

namespace FuncStash.Bench.Kills;

/// <summary>What the server says of a rate period.</summary>
/// <param name="StartedAt">whole seconds, in unix milliseconds</param>
/// <param name="Count">attempts let through in it so far</param>
internal sealed record RateReading(double StartedAt, int Count);

/// <summary>Asks for a flow-control key's period again and again (protocol#flow-control-calls).</summary>
internal sealed class RateReadings(Target target, Clock clock)
{
    private readonly List<RateReading> _all = [];

    public IReadOnlyList<RateReading> All
    {
        get
        {
            lock (_all)
                return [.. _all];
        }
    }

    public async Task RunAsync(string key, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await clock.DelayAsync(150, stop);
                if (await target.SendAsync(HttpMethod.Get, "v2/flowControl/" + key, null, [], stop, expected: 404) is not { Status: 200 } answer)
                    continue;
                using var json = JsonDocument.Parse(answer.Body);
                var reading = new RateReading(
                    1_000 * json.RootElement.GetProperty("ratePeriodStart").GetDouble(), json.RootElement.GetProperty("rateCount").GetInt32());
                lock (_all)
                    _all.Add(reading);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }
}
