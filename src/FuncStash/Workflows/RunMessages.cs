using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>Makes the messages of runs.</summary>
internal static class RunMessages
{
    /// <summary>The delivery that brings a step to the workflow's endpoint (protocol#run-deliveries).</summary>
    /// <param name="run">The run.</param>
    /// <param name="step">The step, with whose entry the delivered history ends.</param>
    /// <param name="id">The message's id.</param>
    /// <param name="request">What the step was submitted with.</param>
    public static Message Step(Run run, StepKey step, MessageId id, RunRequest request)
    {
        var (publish, settings) = (request.Publish, request.Publish.Settings);
        var message = request.Headers.Features.TriggerOnConfig ? Configured(run, id) : Bare(run, id);
        var header = message.Header;
        // What the run was triggered with says what its endpoint takes in; a step is always JSON.
        foreach (var (name, values) in settings.Header)
        {
            if (!header.Contains("Content-Type") || !name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
                header = header.WithSet(name, values);
        }
        message = (settings with { Header = HeaderMap.Empty }).ApplyTo(message with { Header = header }, id.CreatedAt) with
        {
            Url = publish.Destination,
            CallerIp = run.Spec.CallerIp,
            Callback = null,
            Run = PartOf(run, RunRole.Step, step),
        };
        return message.Traced(publish.Trace);
    }

    /// <summary>The call of a third party (protocol#calls-of-a-run).</summary>
    public static Message Call(Run run, StepKey step, MessageId id, RunRequest request)
    {
        var (publish, settings) = (request.Publish, request.Publish.Settings);
        var message = settings.ApplyTo(new Message { Id = id, Url = publish.Destination, Body = publish.Body }, id.CreatedAt) with
        {
            CallerIp = run.Spec.CallerIp,
            Labels = run.Spec.Labels,
            Redact = run.Spec.Redact,
            Callback = null,
            FailureCallback = null,
            Run = PartOf(run, RunRole.Call, step) with { Callback = settings.Callback },
        };
        return message.Traced(publish.Trace);
    }

    /// <summary>A message with the settings of the run's trigger.</summary>
    public static Message Configured(Run run, MessageId id)
    {
        var spec = run.Spec;
        return new Message
        {
            Id = id,
            Url = spec.Destination,
            Header = spec.Header,
            NotBefore = id.CreatedAt,
            MaxRetries = spec.MaxRetries,
            RetryDelay = spec.RetryDelay,
            TimeoutMs = spec.TimeoutMs,
            FlowControl = spec.FlowControl,
            Labels = spec.Labels,
            Redact = spec.Redact,
            CallerIp = spec.CallerIp,
            TraceParent = spec.TraceParent,
            TraceState = spec.TraceState,
        };
    }

    public static RunPart PartOf(Run run, RunRole role, StepKey step) => new(run.Spec.RunId, run.Key.Text, role, step.ToString());

    // Of an SDK whose steps bring their own settings, headers included.
    private static Message Bare(Run run, MessageId id) => new()
    {
        Id = id,
        Url = run.Spec.Destination,
        NotBefore = id.CreatedAt,
        MaxRetries = Publisher.DefaultRetries,
        Labels = run.Spec.Labels,
        Redact = run.Spec.Redact,
    };
}
