using Azure.Core;

namespace FuncStash.Azure;

/// <summary>What a request to Azure Storage is, told by its method, path and headers.</summary>
internal static class OperationName
{
    public static string Of(HttpMessage message)
    {
        var request = message.Request;
        var path = request.Uri.Path;
        return ServiceLabel.Of(message) switch
        {
            "table" => Table(request, path),
            "queue" => Queue(message, request, path),
            "blob" => Blob(request),
            _ => "other",
        };
    }

    private static string Table(Request request, string path)
    {
        if (path.EndsWith("$batch", StringComparison.Ordinal) || path.EndsWith("%24batch", StringComparison.Ordinal))
            return "table transaction";
        if (path.EndsWith("/Tables", StringComparison.Ordinal) || path == "Tables")
            return "table create";
        return request.Method.Method switch
        {
            "GET" => path.EndsWith("()", StringComparison.Ordinal) ? "table query" : "table get",
            "POST" => "table insert",
            "PUT" => request.Headers.Contains("If-Match") ? "table replace" : "table upsert",
            "DELETE" => "table delete",
            _ => "table other",
        };
    }

    private static string Queue(HttpMessage message, Request request, string path)
    {
        var method = request.Method.Method;
        if (path.Contains("/messages/", StringComparison.Ordinal))
            return method switch { "PUT" => "queue update", "DELETE" => "queue delete", _ => "queue other" };
        if (path.EndsWith("/messages", StringComparison.Ordinal))
            return method switch
            {
                "POST" => "queue send",
                "GET" => IsEmpty(message) ? "queue empty receive" : "queue receive",
                _ => "queue other",
            };
        return method switch { "PUT" => "queue create", "GET" or "HEAD" => "queue count", _ => "queue other" };
    }

    private static string Blob(Request request)
    {
        var isContainer = request.Uri.Query.Contains("restype=container", StringComparison.Ordinal);
        return request.Method.Method switch
        {
            "PUT" => isContainer ? "blob create" : "blob put",
            "GET" when !isContainer => "blob get",
            "DELETE" when !isContainer => "blob delete",
            _ => "blob other",
        };
    }

    private static bool IsEmpty(HttpMessage message) =>
        message is { HasResponse: true, Response: { Status: 200, ContentStream: { CanSeek: true } } response }
        && response.Content.ToMemory().Span.IndexOf("<QueueMessage>"u8) < 0;
}
