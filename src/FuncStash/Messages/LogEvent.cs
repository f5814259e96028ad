using System.Text.Json.Serialization;
using FuncStash.Wire;

namespace FuncStash.Messages;

/// <summary>One transition of one message (protocol#logs). What the message is, its row tells.</summary>
/// <param name="Message">The message's id.</param>
/// <param name="State">The state it came into.</param>
/// <param name="Time">When, in unix milliseconds.</param>
/// <param name="Number">Which of the message's events this is, from 0.</param>
public sealed record LogEvent(string Message, MessageState State, long Time, int Number)
{
    /// <summary>The most characters of <see cref="Error"/>.</summary>
    public const int MaxErrorLength = 1_000;

    public string? Error
    {
        get;
        init => field = value is null ? null : ShortText.Of(value, MaxErrorLength);
    }

    /// <summary>When the next attempt follows, in unix milliseconds.</summary>
    public long? NextDelivery { get; init; }

    public int? ResponseStatus { get; init; }

    public HeaderMap? ResponseHeader { get; init; }

    public byte[]? ResponseBody { get; init; }

    /// <summary>True when the response had headers that are not here.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsResponseHeaderCut { get; init; }

    /// <summary>True when the body here is the first part of the response's.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsResponseBodyCut { get; init; }

    /// <summary>What the response takes as it is stored, in bytes; null where that was not noted.</summary>
    [JsonIgnore]
    public int? ResponseSize { get; init; }

    /// <summary>True for an event that was read for a list, without the response's headers and body in its row.</summary>
    [JsonIgnore]
    public bool IsResponseLeftOut { get; init; }

    /// <summary>The event with the response it tells of.</summary>
    public LogEvent With(AttemptOutcome.Response response) => this with
    {
        ResponseHeader = response.Header,
        ResponseBody = response.Body,
        IsResponseHeaderCut = response.IsHeaderCut,
        IsResponseBodyCut = response.IsBodyCut,
    };

    /// <summary>The response that the event tells of; null when it tells of none.</summary>
    [JsonIgnore]
    public AttemptOutcome.Response? Response => this is { ResponseHeader: { } header, ResponseStatus: { } status }
        ? new AttemptOutcome.Response(status, header, ResponseBody ?? []) { IsHeaderCut = IsResponseHeaderCut, IsBodyCut = IsResponseBodyCut }
        : null;

    /// <summary>The place in the log: later events sort first.</summary>
    [JsonIgnore]
    public string Position => LogPosition.Of(Time, Number, Message);
}
