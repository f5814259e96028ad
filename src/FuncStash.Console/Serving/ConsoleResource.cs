using System.Text;
using FuncStash.Access;
using FuncStash.Console.Access;
using FuncStash.Http;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace FuncStash.Console.Serving;

/// <summary><c>/console</c>: finds out who asks, refuses what they may not do, and has the page written. Not part of QStash.</summary>
public sealed partial class ConsoleResource(
    IEnumerable<IPages> pages, Sessions sessions, PageWriter writer, ILogger<ConsoleResource> log) : IResource
{
    /// <summary>The most bytes of a form: a message's payload, and its settings.</summary>
    private const int MaxFormBytes = 4 * 1024 * 1024;

    private static readonly Dictionary<string, StringValues> s_noForm = [];

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/", AccessLevel.None, RootAsync),
        .. pages.SelectMany(some => some.Routes).Select(page => new Route(
            page.Method, "/console" + page.Pattern, AccessLevel.None, call => HandleAsync(call, page))),
        new("GET", "/console/assets/{name}", AccessLevel.None, call => writer.WriteAsync(call, Session.None, AssetFiles.Find(call.Values[0]) ?? NotFound())),
        new("GET", "/console/{rest*}", AccessLevel.None, call => HandleAsync(call, new PageRoute(
            "GET", "", AccessLevel.Read, _ => Task.FromResult(NotFound())))),
    ];

    // The API has nothing there; only who asks for a page is led to one.
    private static Task RootAsync(ApiCall call)
    {
        if (!call.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
            throw QStashException.NotFound($"no such route: {call.Request.Method} {call.Target.Path}");
        call.Context.Response.StatusCode = 302;
        call.Context.Response.Headers.Location = "console/";
        return Task.CompletedTask;
    }

    private async Task HandleAsync(ApiCall call, PageRoute page)
    {
        var session = sessions.Of(call.Request);
        PageResult result;
        try
        {
            result = Refusal(call, session, page) ?? await page.Handle(new ConsoleCall(call, session, await FormAsync(call, page)));
        }
        catch (QStashException refusal)
        {
            result = Problem.Of(refusal.Status, refusal.Message);
        }
        catch (Exception error) when (!call.Aborted.IsCancellationRequested && error is not BadHttpRequestException)
        {
            LogFailure(log, error, call.Request.Method, call.Target.Path);
            result = Problem.Of(500, "Something went wrong here. The log of the server tells what.");
        }
        await writer.WriteAsync(call, session, result);
    }

    private static PageResult? Refusal(ApiCall call, Session session, PageRoute page)
    {
        if (page.Method == "POST" && !SameOrigin.Sent(call.Request))
            return Problem.Of(403, "This request does not come from a page of this console, so nothing was done.");
        if (session.Level >= page.Access)
            return null;
        return session.MayLook ? Problem.Of(403, "This token is read-only, so nothing was done.")
            : page.Method == "POST" ? Problem.Of(401, "You are not signed in any more, so nothing was done. Sign in and do it again.")
            : SignInPages.Form(call.Target, 401, null);
    }

    private static async ValueTask<IReadOnlyDictionary<string, StringValues>> FormAsync(ApiCall call, PageRoute page)
    {
        if (page.Method != "POST")
            return s_noForm;
        var body = await call.BodyAsync(MaxFormBytes);
        try
        {
            using var reader = new FormReader(Encoding.UTF8.GetString(body)) { ValueLengthLimit = MaxFormBytes, ValueCountLimit = 4096 };
            return await reader.ReadFormAsync(call.Aborted);
        }
        catch (InvalidDataException error)
        {
            throw QStashException.BadRequest(error.Message);
        }
    }

    private static PageResult NotFound() => Problem.Of(404, "There is no such page.");

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailure(ILogger log, Exception error, string method, string path);
}
