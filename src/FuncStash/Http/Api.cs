using FuncStash.Access;
using FuncStash.Storage;
using FuncStash.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FuncStash.Http;

/// <summary>The whole HTTP API: finds the route, checks who asks, turns refusals into answers. Every host calls this.</summary>
public sealed partial class Api(
    IEnumerable<IResource> resources, TokenCheck tokens, DevelopmentGuard guard, StoreTrouble trouble, ILogger<Api> log)
{
    // In seconds. The storage is asked again at least as often.
    private const string RetryAfter = "5";

    private readonly RouteTable _routes = new(resources.SelectMany(resource => resource.Routes));

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            await RouteAsync(context);
        }
        catch (QStashException refusal)
        {
            await Answer.ErrorAsync(context, refusal.Status, refusal.Message);
        }
        catch (BadHttpRequestException malformed)
        {
            await Answer.ErrorAsync(context, malformed.StatusCode, MalformedRequest.TextOf(malformed));
        }
        catch (IOException malformed) when (malformed.InnerException is OverflowException)
        {
            // So Kestrel tells of a chunk whose size is no number that it can hold.
            await Answer.ErrorAsync(context, 400, "bad chunk size data");
        }
        catch (Exception gone) when (gone is ConnectionResetException
            || (gone is OperationCanceledException && context.RequestAborted.IsCancellationRequested))
        {
            // Nobody is there any more to read an answer.
        }
        catch (Exception fault) when (trouble.IsFault(fault))
        {
            await RefuseAsync(context, trouble.Note(fault));
        }
        catch (Exception error)
        {
            LogFailure(log, error, context.Request.Method, context.Request.Path);
            await Answer.ErrorAsync(context, 500, "internal error");
        }
    }

    // What of the request has been stored already stays: one that is made again may be done twice.
    private static async Task RefuseAsync(HttpContext context, string reason)
    {
        if (!context.Response.HasStarted)
            context.Response.Headers.RetryAfter = RetryAfter;
        await Answer.ErrorAsync(context, 503, $"{reason}: try again later");
    }

    private async Task RouteAsync(HttpContext context)
    {
        if (guard.RefusalOf(context.Request) is { } refusal)
            throw new QStashException(403, refusal);
        // Kestrel takes the last coding off, and leaves the others on the body.
        if (context.Request.Headers.TransferEncoding is { Count: > 0 } coding && !coding.ToString().Equals("chunked", StringComparison.OrdinalIgnoreCase))
            throw new QStashException(501, $"Transfer-Encoding: {coding}: only chunked is supported");
        var target = RequestTarget.Of(context);
        if (_routes.Find(context.Request.Method, target) is not { } found)
            throw NoRoute(context, target);
        var inHeader = false;
        if (found.Route.Access != AccessLevel.None)
        {
            var level = tokens.LevelOf(TokenOf(context.Request, target, out inHeader));
            if (level == AccessLevel.None)
                throw new QStashException(401, "unauthorized: invalid or missing token");
            if (level < found.Route.Access)
                throw new QStashException(403, "forbidden: this token is read-only");
        }
        await found.Route.Handle(new ApiCall(context, target, found.Values, inHeader));
    }

    private QStashException NoRoute(HttpContext context, RequestTarget target)
    {
        var request = context.Request;
        if (_routes.MethodsOf(target) is { Count: > 0 } methods)
        {
            context.Response.Headers.Allow = string.Join(", ", methods);
            return new QStashException(405, $"method {request.Method} is not allowed for {target.Path}");
        }
        var reason = target.WithoutPrefix() is { } inner && _routes.MethodsOf(inner).Count > 0
            ? $": QSTASH_URL must be the server's address without a path, such as {request.Scheme}://{request.Host}"
            : "";
        return QStashException.NotFound($"no such route: {request.Method} {target.Path}{reason}");
    }

    private static string? TokenOf(HttpRequest request, RequestTarget target, out bool inHeader)
    {
        const string Bearer = "Bearer ";
        string? header = request.Headers.Authorization;
        inHeader = header is not null && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase);
        return inHeader ? HeaderValue.ToText(header![Bearer.Length..]).Trim() : target["qstash_token"];
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailure(ILogger log, Exception error, string method, PathString path);
}

/// <summary>One resource of the API and its routes.</summary>
public interface IResource
{
    IEnumerable<Route> Routes { get; }
}
