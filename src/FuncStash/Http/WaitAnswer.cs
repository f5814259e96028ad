using System.Text.Json;
using FuncStash.Admission;
using FuncStash.Delivery;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>Why a message waits, as JSON. Not part of QStash (protocol#why-it-waits).</summary>
internal static class WaitAnswer
{
    public static Task WriteAsync(ApiCall call, WaitReason reason) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteString("reason", NameOf(reason));
        Write(json, reason);
        json.WriteEndObject();
    });

    private static string NameOf(WaitReason reason) => reason switch
    {
        WaitReason.Ended => "ENDED",
        WaitReason.InFlight => "IN_FLIGHT",
        WaitReason.Delayed => "DELAYED",
        WaitReason.Retry => "RETRY",
        WaitReason.InLine { Kind: GateKind.Queue } => "QUEUE",
        WaitReason.InLine => "FLOW_CONTROL",
        WaitReason.Destination => "DESTINATION",
        _ => "DUE",
    };

    private static void Write(Utf8JsonWriter json, WaitReason reason)
    {
        switch (reason)
        {
            case WaitReason.InFlight inFlight:
                json.WriteIf("since", inFlight.Since);
                break;
            case WaitReason.Delayed delayed:
                json.WriteNumber("until", delayed.Until);
                break;
            case WaitReason.Retry retry:
                json.WriteNumber("until", retry.Until);
                json.WriteNumber("retry", retry.Number);
                json.WriteNumber("maxRetries", retry.MaxRetries);
                break;
            case WaitReason.InLine line:
                json.WriteString(line.Kind == GateKind.Queue ? "queueName" : "flowControlKey", line.Name);
                json.WriteNumber("ahead", line.Ahead);
                json.WriteNumber("inFlight", line.Gate.Inside.Count);
                json.WriteIf("parallelism", line.Gate.Parallelism);
                json.WriteIf("rate", line.Gate.Rate);
                // Where none has begun yet there is no end.
                if (line.Gate is { Rate: not null, PeriodStart: > 0 })
                    json.WriteNumber("periodEnd", line.Gate.PeriodEnd);
                json.WriteBoolean("paused", line.Gate.Paused);
                json.WriteIf("pausedAt", line.Gate.PausedAt);
                break;
            case WaitReason.Destination destination:
                json.WriteNumber("places", destination.Places);
                json.WriteNumber("maxPlaces", destination.MostPlaces);
                break;
        }
    }
}
