using System.Net;

namespace FuncStash.Destinations;

/// <summary>Reads the body of an answer as far as it is worth it. The status has decided before, so nothing here fails.</summary>
internal static class AnswerBody
{
    // Room for an answer that says how long it is, up to the first, is made before any byte has come; for others the second.
    private const int Small = 16 * 1024, Unknown = 1024;

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
        using var over = new CancellationTokenSource(maxTime, time);
        using var ended = stop.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(over.Token, stop) : null;
        var cancellation = ended?.Token ?? over.Token;
        // One byte more, so that the end shows without more room.
        var (body, kept) = (new byte[response.Content.Headers.ContentLength is <= Small and var length ? (int)length + 1 : Unknown], 0);
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            while (await stream.ReadAsync(body.AsMemory(kept), cancellation) is > 0 and var read)
            {
                if (read > maxBytes - kept)
                    return (body[..maxBytes], true);
                kept += read;
                if (kept == body.Length)
                    Array.Resize(ref body, 2 * kept);
            }
            return (body[..kept], false);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or HttpRequestException)
        {
            // Cut off: what has come is what there is.
            return (body[..kept], true);
        }
    }
}
