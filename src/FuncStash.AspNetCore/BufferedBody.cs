using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.AspNetCore;

/// <summary>Reads the body of a request, and puts it back for those that come after.</summary>
internal static class BufferedBody
{
    private const int FirstBytes = 4096;

    /// <summary>The whole body; null when it is longer than <paramref name="maxBytes"/>, of which no more is read then.</summary>
    public static async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(HttpContext context, long maxBytes)
    {
        var request = context.Request;
        if (request.ContentLength > maxBytes)
            return null;
        // The server's limit counts the frames of chunks too; the body's own is kept here.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } server)
            server.MaxRequestBodySize = null;
        var body = new MemoryStream((int)Math.Min(request.ContentLength ?? FirstBytes, int.MaxValue));
        var buffer = new byte[FirstBytes];
        try
        {
            while (await request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var read)
            {
                if (body.Length + read > maxBytes)
                    return null;
                body.Write(buffer, 0, read);
            }
        }
        catch (BadHttpRequestException tooLong) when (tooLong.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return null;
        }

        body.Position = 0;
        request.Body = body;
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }
}
