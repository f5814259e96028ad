using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>What a delivery or a call came to, for whoever is told of it.</summary>
/// <param name="Outcome">What the last attempt brought.</param>
/// <param name="Message">The message.</param>
/// <param name="Retried">How many retries it had.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
public sealed record Report(Message Message, AttemptOutcome Outcome, int Retried, string? Error)
{
    /// <summary>
    /// The body of a callback (protocol#callback-body): in the form that an endpoint behind a body parser can verify.
    /// </summary>
    /// <param name="run">The run.</param>
    /// <param name="source">What is told to have been sent.</param>
    /// <param name="dlqId">The dead letter; null for none.</param>
    public byte[] ToBody(Run run, byte[] source, string? dlqId)
    {
        var response = Outcome as AttemptOutcome.Response;
        // The values of headers as they are, a character for each byte: the SDK makes headers of them again, and could not of others.
        var body = response?.Body ?? System.Text.Encoding.UTF8.GetBytes(Error ?? "");
        return new StringifiedJson().StartObject()
            .Number("status", Outcome.Status)
            .Header("header", response?.Header ?? HeaderMap.Empty)
            .Base64("body", body)
            .Number("retried", Retried)
            .Number("maxRetries", Message.MaxRetries)
            .String("dlqId", dlqId)
            .String("sourceMessageId", Message.Id.Text)
            .String("url", Message.Url)
            .String("method", Message.Method)
            .Header("sourceHeader", Message.Header)
            .Base64("sourceBody", source)
            .Number("notBefore", Message.NotBefore)
            .Number("createdAt", Message.CreatedAt)
            .String("callerIP", Message.CallerIp)
            .String("error", response is null ? Error : null)
            .String("workflowRunId", run.Spec.RunId)
            .Number("workflowCreatedAt", run.CreatedAt)
            .String("workflowUrl", run.Spec.Url)
            .EndObject().ToArray();
    }
}

/// <summary>Makes the messages that report to a workflow's endpoint, or to its failure function.</summary>
internal static class RunReports
{
    /// <summary>Brings the outcome of a call to the workflow (protocol#calls-of-a-run).</summary>
    public static Message OfCall(Run run, MessageId id, CallbackSettings callback, StepKey step, byte[] body, FuncStashOptions options)
    {
        var settings = PublishSettingsReader.ParseAccepted(callback.Settings, options);
        var isConfigured = settings.Workflow.Features.TriggerOnConfig;
        var message = isConfigured
            ? RunMessages.Configured(run, id)
            : RunMessages.Configured(run, id) with { Header = HeaderMap.Empty, FlowControl = null, RetryDelay = null, TimeoutMs = null };
        // With a version in it the SDK would take the body for a history.
        var header = new HeaderMap();
        foreach (var (name, values) in message.Header.Concat(settings.Header))
        {
            if (!name.Equals(RunHeaders.SdkVersionName, StringComparison.OrdinalIgnoreCase))
                header.Set(name, values);
        }
        header.Set("Content-Type", "application/json");
        return settings.ApplyTo(message with { Url = callback.Url, Body = body }, id.CreatedAt) with
        {
            Header = header,
            Callback = null,
            // It carries what the call sent and got.
            Redact = run.Spec.Redact is { } hidden ? $"body,{hidden}" : null,
            Run = RunMessages.PartOf(run, RunRole.CallResult, step),
        };
    }

    /// <summary>Tells the failure function that the run has failed (protocol#failure-functions).</summary>
    public static Message OfFailure(Run run, MessageId id, CallbackSettings callback, byte[] body, FuncStashOptions options)
    {
        var settings = PublishSettingsReader.ParseAccepted(callback.Settings, options);
        var header = new HeaderMap();
        foreach (var (name, values) in settings.Header)
            header.Set(name, values);
        if (!header.Contains("Content-Type"))
            header.Set("Content-Type", "application/json");
        var message = new Message
        {
            Id = id, Url = callback.Url, Body = body, MaxRetries = run.Spec.MaxRetries, CallerIp = run.Spec.CallerIp,
            Labels = run.Spec.Labels,
            // It carries the run's payload.
            Redact = run.Spec.Redact is { } hidden ? $"body,{hidden}" : null,
            TraceParent = run.Spec.TraceParent, TraceState = run.Spec.TraceState,
        };
        return (settings with { Header = header }).ApplyTo(message, id.CreatedAt) with
        {
            Callback = null,
            FailureCallback = null,
            Run = RunMessages.PartOf(run, RunRole.Failure, StepKey.Initial),
        };
    }

    /// <summary>Whether the failure function is told the run's payload rather than its history.</summary>
    public static bool WantsPayload(CallbackSettings callback) =>
        RunFeatures.Parse(callback.Settings[RunHeaders.FeaturesName]?[0], null).InitialBody;
}
