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
    public string? Error { get; init; }

    /// <summary>When the next attempt follows, in unix milliseconds.</summary>
    public long? NextDelivery { get; init; }

    public int? ResponseStatus { get; init; }

    public HeaderMap? ResponseHeader { get; init; }

    public byte[]? ResponseBody { get; init; }

    /// <summary>What the response takes as it is stored, in bytes; null where that was not noted.</summary>
    [JsonIgnore]
    public int? ResponseSize { get; init; }

    /// <summary>True for an event that was read for a list, without the response's headers and body in its row.</summary>
    [JsonIgnore]
    public bool IsResponseLeftOut { get; init; }

    /// <summary>The place in the log: later events sort first.</summary>
    [JsonIgnore]
    public string Position => LogPosition.Of(Time, Number, Message);
}
