namespace FuncStash.Headers;

/// <summary>What a request's workflow headers say (protocol#workflow-headers).</summary>
public sealed record RunHeaders
{
    /// <summary>What the service's own workflow headers are called.</summary>
    public const string RunIdName = "Upstash-Workflow-Runid", InitName = "Upstash-Workflow-Init", UrlName = "Upstash-Workflow-Url",
        SdkVersionName = "Upstash-Workflow-Sdk-Version", UnknownSdkName = "Upstash-Workflow-Unknown-Sdk",
        LabelName = "Upstash-Label", FeaturesName = "Upstash-Feature-Set";

    /// <summary>The rule for the ids of runs in words, for error texts.</summary>
    public const string RunIdRule = "ASCII without control characters and / ? # % \\, not . or ..";

    public static readonly RunHeaders None = new();

    /// <summary>The run's id; null in a request that belongs to none.</summary>
    public string? RunId { get; init; }

    /// <summary>True for a trigger: it starts the run.</summary>
    public bool IsTrigger { get; init; }

    /// <summary>True when a run triggers another one and waits for it.</summary>
    public bool IsInvoke { get; init; }

    /// <summary>True when the SDK at the endpoint triggers the run that it was itself triggered by.</summary>
    public bool IsTriggeredBySdk { get; init; }

    /// <summary>True for a third party to be called, whose answer is reported to the workflow.</summary>
    public bool IsCall { get; init; }

    /// <summary>The workflow's URL, as its endpoint sees it.</summary>
    public string? Url { get; init; }

    /// <summary>What makes the SDK at the endpoint trigger the run anew; null for nothing.</summary>
    public string? UnknownSdk { get; init; }

    /// <summary>What the SDK can do, as it says: comma-separated names.</summary>
    public string? FeatureSet { get; init; }

    /// <summary>What the SDK calls itself.</summary>
    public string? TelemetrySdk { get; init; }

    /// <summary>
    /// Whether a run can end under an id: its SDK reads it from a header of a delivery, and puts it as it is into the path of the
    /// call that ends it. Others would come back as another id, and their runs wait for ever.
    /// </summary>
    public static bool IsRunId(string id) => id is not ("." or "..") && id.All(c => c is >= ' ' and <= '~' and not ('/' or '?' or '#' or '%' or '\\'));

    public RunFeatures Features => RunFeatures.Parse(FeatureSet, TelemetrySdk);

    /// <summary>Whether a value of <c>Upstash-Workflow-Init</c> starts a run.</summary>
    public static bool IsTriggerOf(string? init) => bool.TryParse(init, out var flag) && flag;
}
