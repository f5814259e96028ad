using System.Globalization;
using System.Net.Sockets;

namespace FuncStash.Destinations;

/// <summary>Why there was no answer, in words for whoever looks at the message.</summary>
internal static class FailureText
{
    // What a destination sent can be quoted in it.
    private const int MaxLength = 500;

    /// <summary>For a connection that ended in good order, but too early.</summary>
    public const string Closed = "the destination closed the connection without an answer";

    public static string Of(Exception error)
    {
        var text = error switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
                $"the headers of the answer are larger than {OutboundClient.MaxHeaderKilobytes} KiB",
            HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } => "the destination closed the connection within the headers of its answer",
            HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => $"the answer is not HTTP: {error.GetBaseException().Message}",
            // Gone between the connection and its first use.
            _ when error.GetBaseException() is SocketException { SocketErrorCode: SocketError.NotConnected } => Closed,
            HttpRequestException { InnerException: AddressRefusedException or BrokenConnectionException } => error.InnerException.Message,
            HttpRequestException { InnerException: { } inner } when !error.Message.Contains(inner.Message, StringComparison.Ordinal) =>
                $"{error.Message} ({inner.Message})",
            _ => error.Message,
        };
        text = string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character));
        return text.Length > MaxLength ? text[..MaxLength] + "…" : text;
    }

    /// <param name="limit">The time for the whole attempt.</param>
    /// <param name="isOver">Whether it was over; else the connection had not come to be in its own time.</param>
    public static string OfTime(TimeSpan limit, bool isOver) => string.Create(
        CultureInfo.InvariantCulture,
        $"no {(isOver ? "response" : "connection")} within {(isOver ? limit : OutboundClient.ConnectTimeout).TotalSeconds:0.###} s");
}
