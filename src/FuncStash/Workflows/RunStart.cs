using System.Security.Cryptography;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>A run that is to be started.</summary>
/// <param name="Spec">What it is started with.</param>
/// <param name="Payload">What its workflow gets.</param>
/// <param name="NotBefore">When it is due, in unix milliseconds; null for at once.</param>
public sealed record RunStart(RunSpec Spec, byte[] Payload, Func<long, long>? NotBefore = null)
{
    private const string IdLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    /// <summary>True when the SDK at the endpoint triggers the run anew that it was itself triggered by.</summary>
    public bool Replaces { get; init; }

    /// <summary>The key to use; null for a new one.</summary>
    public MessageId? Key { get; init; }

    /// <summary>A run as its trigger asks for it (protocol#trigger).</summary>
    public static RunStart Of(RunRequest request)
    {
        var (publish, headers, settings) = (request.Publish, request.Headers, request.Publish.Settings);
        var spec = new RunSpec
        {
            RunId = headers.RunId ?? NewId(),
            Url = headers.Url ?? publish.Destination,
            Destination = publish.Destination,
            Header = settings.Header,
            MaxRetries = settings.Retries ?? Publisher.DefaultRetries,
            RetryDelay = settings.RetryDelay,
            TimeoutMs = settings.Timeout is { } timeout ? DurationText.Milliseconds(timeout) : null,
            FlowControl = settings.FlowControl,
            Labels = settings.Labels,
            FailureCallback = settings.FailureCallback,
            Redact = settings.Redact,
            CallerIp = publish.CallerIp,
            Features = headers.Features,
            TraceParent = publish.Trace?.Parent,
            TraceState = publish.Trace?.State,
        };
        return new RunStart(spec, publish.Body, settings.DueAt) { Replaces = headers.IsTriggeredBySdk };
    }

    /// <summary>A run started without the SDK: the service says what the SDK would have said.</summary>
    public static RunStart Plain(PublishRequest publish)
    {
        var settings = publish.Settings;
        var headers = settings.Workflow with { FeatureSet = RunFeatures.Current, TelemetrySdk = null };
        var start = Of(new RunRequest(publish, headers));
        var header = start.Spec.Header.WithSet(RunHeaders.SdkVersionName, "1");
        if (!header.Contains("Content-Type"))
            header = header.WithSet("Content-Type", "application/json");
        // Its SDK then triggers the run anew, and says all this itself.
        if (settings.Workflow.UnknownSdk is { } unknown)
            header = header.WithSet(RunHeaders.UnknownSdkName, unknown);
        var spec = start.Spec with { Header = header, IsPlainTrigger = true };
        return start with { Spec = spec.FailureCallback is null ? spec with { FailureCallback = DefaultFailureCallback(spec) } : spec };
    }

    public static string NewId() => "wfr_" + RandomNumberGenerator.GetString(IdLetters, 21);

    // Where none is named, the failure function that the endpoint may have is called, as a trigger by the SDK has it.
    private static CallbackSettings DefaultFailureCallback(RunSpec spec)
    {
        var settings = new HeaderMap();
        foreach (var (name, values) in spec.Header)
        {
            if (name != RunHeaders.SdkVersionName)
                settings.Set($"Upstash-Forward-{name}", values);
        }
        settings.Set("Upstash-Forward-Upstash-Workflow-Is-Failure", "true");
        settings.Set("Upstash-Forward-Upstash-Workflow-Failure-Callback", "true");
        settings.Set(RunHeaders.RunIdName, spec.RunId);
        settings.Set(RunHeaders.UrlName, spec.Url);
        settings.Set(RunHeaders.FeaturesName, "InitialBody");
        settings.Set("Upstash-Retries", spec.MaxRetries.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (spec.RetryDelay is { } delay)
            settings.Set("Upstash-Retry-Delay", delay);
        return new CallbackSettings(spec.Destination, settings);
    }
}
