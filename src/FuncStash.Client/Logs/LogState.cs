using System.Text.Json;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>What happened to a message.</summary>
[JsonConverter(typeof(LogStateConverter))]
public enum LogState
{
    /// <summary>Something this client does not know.</summary>
    Unknown,

    /// <summary>It was published.</summary>
    Created,

    /// <summary>An attempt began.</summary>
    Active,

    /// <summary>A retry was planned.</summary>
    Retry,

    /// <summary>An attempt failed.</summary>
    Error,

    /// <summary>It was delivered.</summary>
    Delivered,

    /// <summary>It failed for good and went to the dead letter queue.</summary>
    Failed,

    /// <summary>Somebody asked for it to be cancelled.</summary>
    CancelRequested,

    /// <summary>It was cancelled.</summary>
    Canceled,

    /// <summary>In filters only: an attempt began or failed, or a retry was planned.</summary>
    InProgress,
}

internal sealed class LogStateConverter : JsonConverter<LogState>
{
    public override LogState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        (reader.TokenType == JsonTokenType.String ? reader.GetString() : null) switch
        {
            "CREATED" => LogState.Created,
            "ACTIVE" => LogState.Active,
            "RETRY" => LogState.Retry,
            "ERROR" => LogState.Error,
            "DELIVERED" => LogState.Delivered,
            "FAILED" => LogState.Failed,
            "CANCEL_REQUESTED" => LogState.CancelRequested,
            // The documentation spells it with two.
            "CANCELED" or "CANCELLED" => LogState.Canceled,
            "IN_PROGRESS" => LogState.InProgress,
            _ => LogState.Unknown,
        };

    public override void Write(Utf8JsonWriter writer, LogState value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Text(value));

    /// <exception cref="ArgumentOutOfRangeException">It is no state the service knows.</exception>
    public static string Text(LogState state) => state switch
    {
        LogState.Created => "CREATED",
        LogState.Active => "ACTIVE",
        LogState.Retry => "RETRY",
        LogState.Error => "ERROR",
        LogState.Delivered => "DELIVERED",
        LogState.Failed => "FAILED",
        LogState.CancelRequested => "CANCEL_REQUESTED",
        LogState.Canceled => "CANCELED",
        LogState.InProgress => "IN_PROGRESS",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "It is no state to look for."),
    };
}
