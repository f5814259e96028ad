using FuncStash.Messages;

namespace FuncStash.Console.Parts;

/// <summary>The protocol's terms as people say them.</summary>
public static class Words
{
    public static string Of(MessageState state) => state switch
    {
        MessageState.Created => "waiting",
        MessageState.Active => "in flight",
        MessageState.Delivered => "delivered",
        MessageState.Error => "attempt failed",
        MessageState.Retry => "retrying",
        MessageState.Failed => "failed",
        MessageState.CancelRequested => "cancel requested",
        MessageState.Canceled => "cancelled",
        _ => state.Wire(),
    };

    /// <summary>How many attempts have been made or begun.</summary>
    public static int Attempts(Progress progress) => progress.State switch
    {
        MessageState.Created or MessageState.Canceled or MessageState.CancelRequested => progress.Retried,
        MessageState.Retry => progress.Retried,
        _ => progress.Retried + 1,
    };

    /// <summary>A number and its noun.</summary>
    public static string Count(long number, string one, string? many = null) =>
        $"{Text.Number(number)} {(number == 1 ? one : many ?? one + "s")}";

    /// <summary>A number as a place in a row, such as <c>2nd</c>.</summary>
    public static string Ordinal(int number) => (number % 100 is > 10 and < 14 ? 0 : number % 10) switch
    {
        1 => $"{number}st",
        2 => $"{number}nd",
        3 => $"{number}rd",
        _ => $"{number}th",
    };
}
