using System.Globalization;

namespace FuncStash.Retries;

/// <summary>The rate-limit headers that the IETF works on (draft-ietf-httpapi-ratelimit-headers), in the forms of its drafts.</summary>
/// <remarks>They are on every response, so they are a wish to wait only where they say that nothing is left.</remarks>
internal static class RateLimitFields
{
    /// <summary>
    /// The longest wait of <c>RateLimit: "default";r=0;t=30</c>, <c>RateLimit: limit=9, remaining=0, reset=30</c> and
    /// <c>RateLimit-Reset: 30</c> with no <c>RateLimit-Remaining</c> left; null when none is usable. In seconds, at most a day.
    /// </summary>
    public static TimeSpan? Wait(Func<string, IReadOnlyList<string>?> responseHeader)
    {
        var waits = new List<double?>();
        var remaining = responseHeader("RateLimit-Remaining") ?? [];
        if (remaining.All(value => Number(value) == 0))
            waits.AddRange((responseHeader("RateLimit-Reset") ?? []).Select(Number));
        foreach (var value in responseHeader("RateLimit") ?? [])
        {
            var policies = value.Split(',');
            waits.AddRange(policies.Select(policy => Seconds(policy.Split(';'), "r", "t")));
            waits.Add(Seconds(policies, "remaining", "reset"));
        }
        return waits.Where(seconds => seconds <= Backoff.Max.TotalSeconds).Max() is { } longest ? TimeSpan.FromSeconds(longest) : null;
    }

    private static double? Seconds(string[] parameters, string left, string reset) =>
        Parameter(parameters, left) == 0 ? Parameter(parameters, reset) : null;

    private static double? Parameter(string[] parameters, string name) => parameters
        .Select(parameter => parameter.Split('=', 2, StringSplitOptions.TrimEntries))
        .Where(pair => pair.Length == 2 && pair[0].Equals(name, StringComparison.OrdinalIgnoreCase))
        .Select(pair => Number(pair[1]))
        .FirstOrDefault();

    private static double? Number(string text) =>
        double.TryParse(text.Split(';')[0], NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
