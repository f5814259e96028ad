using System.Net;

namespace FuncStash.Destinations;

/// <summary>Reads the body of an answer as far as it is worth it. The status has decided before, so nothing here fails.</summary>
internal static class AnswerBody
{
    /// <summary>
    /// The body up to so many bytes and so much time, whichever is over first; less where the connection breaks. What is left
    /// of it goes with the connection when the response is disposed.
    /// </summary>
    /// <param name="response">The response, its headers read.</param>
    /// <param name="maxBytes">The most that is kept.</param>
    /// <param name="maxTime">The longest that is waited.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <returns>The body, and whether it is the first part of more, as far as anybody knows.</returns>
    public static async Task<(byte[] Body, bool IsCut)> ReadAsync(
        HttpResponseMessage response, int maxBytes, TimeSpan maxTime, TimeProvider time, CancellationToken stop)
    {
        // Behind the latter comes another protocol, which nobody asked for.
        if (response.Content.Headers.ContentLength == 0 || response.StatusCode == HttpStatusCode.SwitchingProtocols)
            return ([], false);
        using var kept = new MemoryStream();
        using var over = new CancellationTokenSource(maxTime, time);
        using var ended = stop.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(over.Token, stop) : null;
        try
        {
            var cancellation = ended?.Token ?? over.Token;
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            var buffer = new byte[4096];
            while (await stream.ReadAsync(buffer, cancellation) is > 0 and var read)
            {
                var room = maxBytes - (int)kept.Length;
                kept.Write(buffer, 0, Math.Min(read, room));
                if (read > room)
                    return (kept.ToArray(), true);
            }
            return (kept.ToArray(), false);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or HttpRequestException)
        {
            // Cut off: what has come is what there is.
            return (kept.ToArray(), true);
        }
    }
}
