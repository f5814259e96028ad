using System.Net;

namespace FuncStash.Destinations;

/// <summary>Reads the body of an answer as far as it is worth it. The status has decided before, so nothing here fails.</summary>
internal static class AnswerBody
{
    // So many bytes are made room for before any has come.
    private const int Small = 16 * 1024;

    // For one that does not say how long it is.
    private const int First = 1024;

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
        var length = response.Content.Headers.ContentLength;
        using var over = new CancellationTokenSource(maxTime, time);
        using var ended = stop.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(over.Token, stop) : null;
        var cancellation = ended?.Token ?? over.Token;
        return length <= Math.Min(Small, maxBytes)
            ? await ReadSmallAsync(response, new byte[(int)length], cancellation)
            : await ReadAnyAsync(response, maxBytes, cancellation);
    }

    // Most answers are short and say so: one read of what is there.
    private static async Task<(byte[] Body, bool IsCut)> ReadSmallAsync(HttpResponseMessage response, byte[] body, CancellationToken cancellation)
    {
        var read = 0;
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            while (read < body.Length && await stream.ReadAsync(body.AsMemory(read), cancellation) is > 0 and var more)
                read += more;
            return (body[..read], read < body.Length);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or HttpRequestException)
        {
            return (body[..read], true);
        }
    }

    private static async Task<(byte[] Body, bool IsCut)> ReadAnyAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellation)
    {
        var (body, kept) = (new byte[First], 0);
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
