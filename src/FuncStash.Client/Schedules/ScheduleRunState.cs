using System.Text.Json;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>What became of a message a schedule made.</summary>
[JsonConverter(typeof(ScheduleRunStateConverter))]
public enum ScheduleRunState
{
    /// <summary>Something this client does not know.</summary>
    Unknown,

    /// <summary>It is on its way.</summary>
    InProgress,

    /// <summary>It was delivered.</summary>
    Success,

    /// <summary>It failed for good.</summary>
    Fail,
}

internal sealed class ScheduleRunStateConverter : JsonConverter<ScheduleRunState>
{
    public override ScheduleRunState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        (reader.TokenType == JsonTokenType.String ? reader.GetString() : null) switch
        {
            "IN_PROGRESS" => ScheduleRunState.InProgress,
            "SUCCESS" => ScheduleRunState.Success,
            "FAIL" => ScheduleRunState.Fail,
            _ => ScheduleRunState.Unknown,
        };

    public override void Write(Utf8JsonWriter writer, ScheduleRunState value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value switch
        {
            ScheduleRunState.InProgress => "IN_PROGRESS",
            ScheduleRunState.Success => "SUCCESS",
            ScheduleRunState.Fail => "FAIL",
            _ => "UNKNOWN",
        });
}
