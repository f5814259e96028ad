using System.Text.Json.Serialization;

namespace FuncStash.Messages;

/// <summary>The part a message plays in a workflow run.</summary>
/// <param name="RunId">The run's id, as its publisher gave it.</param>
/// <param name="Key">The id of the run's first message. All of the run's rows lie in that one's partition.</param>
/// <param name="Role">What the message does for the run.</param>
/// <param name="Step">The step that it brings to the endpoint, or makes.</param>
public sealed record RunPart(string RunId, string Key, RunRole Role, string Step)
{
    /// <summary>Where the outcome of a <see cref="RunRole.Call"/> is reported to.</summary>
    public CallbackSettings? Callback { get; init; }

    [JsonIgnore]
    public MessageId Run => MessageId.Parse(Key);
}

/// <summary>What a message does for its workflow run.</summary>
public enum RunRole
{
    /// <summary>Brings the run's history, up to a step, to the workflow's endpoint.</summary>
    Step,

    /// <summary>Calls a third party for a step.</summary>
    Call,

    /// <summary>Brings the outcome of such a call to the workflow's endpoint.</summary>
    CallResult,

    /// <summary>Tells a failure function that the run has failed.</summary>
    Failure,
}
