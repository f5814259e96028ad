using Microsoft.AspNetCore.Http;

namespace FuncStash.Http;

/// <summary>What a caller is told of a request that the HTTP server itself refuses.</summary>
public static class MalformedRequest
{
    public static string TextOf(BadHttpRequestException error) => error.StatusCode switch
    {
        StatusCodes.Status414UriTooLong =>
            $"the request line is too long: at most {KestrelSetup.MaxLineBytes} bytes are allowed",
        StatusCodes.Status431RequestHeaderFieldsTooLarge =>
            $"the headers are too big: at most {KestrelSetup.MaxHeaders} with {KestrelSetup.MaxHeaderBytes} bytes in all are allowed",
        StatusCodes.Status408RequestTimeout => "the request took too long to arrive",
        _ => WordsOf(error.Message),
    };

    // The server's own, less the place where it quotes the request in its log only. One that begins with a method stays as it is.
    private static string WordsOf(string message) =>
        (char.IsUpper(message[1]) ? message[0] : char.ToLowerInvariant(message[0])) + message[1..].Replace(": ''", "", StringComparison.Ordinal).TrimEnd('.');
}
