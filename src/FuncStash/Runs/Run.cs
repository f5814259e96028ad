using System.Text.Json.Serialization;
using FuncStash.Messages;

namespace FuncStash.Runs;

/// <summary>A run as it is stored: what it was started with, what has become of it, and the version of its row.</summary>
/// <param name="Key">
/// The id of the run's first message. It tells the partition that all rows of the run lie in, so that each step of the run
/// is one commit.
/// </param>
public sealed record Run(MessageId Key, RunSpec Spec, RunProgress Progress, string? ETag)
{
    /// <summary>The stored form of <see cref="Spec"/>, kept so that a later write need not make it again.</summary>
    internal byte[]? SpecBytes { get; init; }

    public long CreatedAt => Key.CreatedAt;

    public bool Ended => Progress.State != RunState.Started;
}

/// <summary>How far a run has come.</summary>
public sealed record RunProgress
{
    public RunState State { get; init; }

    /// <summary>How many entries have their place in the history; the next one's place.</summary>
    public int Entries { get; init; }

    /// <summary>How many entries were accepted.</summary>
    public int Steps { get; init; }

    /// <summary>What was accepted, in bytes: the payload, steps, events.</summary>
    public long Bytes { get; init; }

    /// <summary>Sleeps, calls and invocations that are under way, whose end would come after that of the run.</summary>
    public int Open { get; init; }

    public IReadOnlyList<OpenWait> Waits { get; init; } = [];

    /// <summary>Events that came before their wait, oldest first.</summary>
    public IReadOnlyList<StoredEvent> Events { get; init; } = [];

    /// <summary>How many events were stored in all.</summary>
    public int EventCount { get; init; }

    /// <summary>True once the SDK at the endpoint has triggered the run anew.</summary>
    public bool Replaced { get; init; }

    /// <summary>The base of the URLs of the run's webhooks, as its SDK made them.</summary>
    public string? HookBase { get; init; }

    /// <summary>When it ended, in unix milliseconds.</summary>
    public long? EndedAt { get; init; }

    /// <summary>What the workflow returned; null for nothing, or while <see cref="ResultName"/> says where it lies.</summary>
    public byte[]? Result { get; init; }

    public string? ResultName { get; init; }

    /// <summary>The delivery that failed for good.</summary>
    public string? FailedMessage { get; init; }

    /// <summary>Why it failed, where no delivery did.</summary>
    public string? Error { get; init; }

    public string? DlqId { get; init; }

    /// <summary>True once its dead letter was resumed, restarted or deleted: whoever still owes that letter writes it no more.</summary>
    public bool IsLetterGone { get; init; }

    public FailureFunction? Failure { get; init; }
}

/// <summary>An event that the run waits for.</summary>
/// <param name="Step">The number of the step that waits.</param>
public sealed record OpenWait(string Event, int Step);

/// <summary>An event that waits for the run.</summary>
/// <param name="Number">Which of the run's stored events it is.</param>
/// <param name="Bytes">Its length.</param>
public sealed record StoredEvent(string Event, int Number, long Bytes);

/// <summary>How the call of the failure function goes.</summary>
/// <param name="MessageId">The message that calls it.</param>
/// <param name="Times">How often it was called anew by hand.</param>
public sealed record FailureFunction(string MessageId, string Url, FailureState State, int Times = 0)
{
    public int? ResponseStatus { get; init; }

    public byte[]? ResponseBody { get; init; }

    public Wire.HeaderMap? ResponseHeader { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<FailureState>))]
public enum FailureState
{
    InProgress,
    Success,
    Fail,
    Canceled,
}

public static class FailureStates
{
    public static string Wire(this FailureState state) => state switch
    {
        FailureState.InProgress => "CALLBACK_INPROGRESS",
        FailureState.Success => "CALLBACK_SUCCESS",
        FailureState.Fail => "CALLBACK_FAIL",
        FailureState.Canceled => "CALLBACK_CANCELED",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };
}
