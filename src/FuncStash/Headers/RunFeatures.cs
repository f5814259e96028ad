using System.Text.Json.Serialization;

namespace FuncStash.Headers;

/// <summary>What the SDK at the other end can do, as its <c>Upstash-Feature-Set</c> says.</summary>
/// <param name="InitialBody">A failure callback is to carry the run's payload, not its whole history.</param>
/// <param name="DetectTrigger">A first delivery answered by something that is no workflow fails the run.</param>
/// <param name="TriggerOnConfig">The trigger's settings hold for every delivery of the run; else each step brings its own.</param>
/// <param name="CanFetch">It fetches the history itself when a delivery has no body.</param>
public sealed record RunFeatures(bool InitialBody, bool DetectTrigger, bool TriggerOnConfig, bool CanFetch)
{
    /// <summary>The feature set of the current SDK.</summary>
    public const string Current = "LazyFetch,InitialBody,WF_DetectTrigger,WF_TriggerOnConfig";

    /// <summary>Reads a feature set.</summary>
    /// <param name="text">The comma-separated names; those unknown are ignored.</param>
    /// <param name="telemetry">
    /// What the SDK calls itself. The Python SDK announces that it can fetch, and cannot: only with a JavaScript SDK's name,
    /// or a feature that Python's lacks, is it believed.
    /// </param>
    public static RunFeatures Parse(string? text, string? telemetry)
    {
        var onConfig = Has(text, "WF_TriggerOnConfig");
        var isScript = onConfig || telemetry?.Contains("@upstash/", StringComparison.Ordinal) == true;
        return new RunFeatures(Has(text, "InitialBody"), Has(text, "WF_DetectTrigger"), onConfig, Has(text, "LazyFetch") && isScript);
    }

    private static bool Has(ReadOnlySpan<char> names, string name)
    {
        foreach (var part in names.Split(','))
        {
            if (names[part].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
