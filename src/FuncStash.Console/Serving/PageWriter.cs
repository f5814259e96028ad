using System.Diagnostics.CodeAnalysis;
using System.Text;
using FuncStash.Console.Access;
using FuncStash.Http;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace FuncStash.Console.Serving;

/// <summary>Writes what the console answers, with the headers that keep it from being framed, kept, guessed at or scripted by others.</summary>
public sealed class PageWriter(TimeProvider time)
{
    // Components get all they show as parameters; none asks for a service.
    private static readonly IServiceProvider s_noServices = new ServiceCollection().BuildServiceProvider();

    /// <summary>Stands in a page where its steps go.</summary>
    public const string Place = "<!--steps-->";

    private const string Policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public async Task WriteAsync(ApiCall call, Session session, PageResult result)
    {
        var response = call.Context.Response;
        var headers = response.Headers;
        headers.XContentTypeOptions = "nosniff";
        // Without a referrer a browser also keeps back the Origin of a form; where it tells nothing else, its own origin gets it.
        headers["Referrer-Policy"] = SameOrigin.TellsSite(call.Request) || call.Request.IsHttps || SameOrigin.IsThisMachine(call.Request.Host.Host)
            ? "no-referrer" : "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.ContentSecurityPolicy = Policy;
        headers.CacheControl = "no-store";
        switch (result)
        {
            case PageResult.View view:
                response.StatusCode = view.Status;
                await WriteAsync(call, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(await RenderAsync(call, session, view)));
                break;
            case PageResult.Running running:
                await WriteAsync(call, session, running);
                break;
            case PageResult.Redirect redirect:
                response.StatusCode = 303;
                foreach (var cookie in redirect.Cookies)
                    headers.Append("Set-Cookie", cookie);
                headers.Location = Base(call.Target) + redirect.Path;
                break;
            case PageResult.Raw raw:
                // A payload is whatever somebody sent: it runs nothing and belongs to no origin.
                headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";
                if (raw.FileName is { } name)
                    headers.ContentDisposition = $"attachment; filename=\"{name}\"";
                await WriteAsync(call, raw.ContentType, raw.Bytes);
                break;
            case PageResult.Stream stream:
                headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";
                headers.ContentDisposition = $"attachment; filename=\"{stream.FileName}\"";
                await WriteAsync(call, stream);
                break;
            case PageResult.Asset asset:
                headers.CacheControl = "public, max-age=31536000, immutable";
                await WriteAsync(call, asset.ContentType, asset.Bytes);
                break;
        }
    }

    /// <summary>
    /// The way from a page to <c>/console/</c>. Links are relative to it, so they hold whatever path a proxy puts before it.
    /// </summary>
    internal static string Base(RequestTarget target)
    {
        var slashes = target.Path.AsSpan("/console".Length).Count('/');
        return slashes switch
        {
            0 => "console/",
            1 => "./",
            _ => string.Concat(Enumerable.Repeat("../", slashes - 1)),
        };
    }

    // The way from <base> to the page itself, its query included. What begins with a dot names no other host and no scheme.
    private static string Here(RequestTarget target) =>
        "./" + target.RawFrom(Math.Min(target.Path.Length, "/console/".Length));

    private Task<string> RenderAsync(ApiCall call, Session session, PageResult.View view) => RenderAsync(typeof(Shell), new ShellModel(
        view, session, Base(call.Target), call.Target.Path, Here(call.Target), time.GetUtcNow().ToUnixTimeMilliseconds(),
        IsAnswer: HttpMethods.IsPost(call.Request.Method)));

    private static async Task<string> RenderAsync([DynamicallyAccessedMembers(PageResult.Members)] Type component, object model)
    {
        await using var renderer = new HtmlRenderer(s_noServices, NullLoggerFactory.Instance);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var parameters = ParameterView.FromDictionary(new Dictionary<string, object?> { ["Model"] = model });
            return (await renderer.RenderComponentAsync(component, parameters)).ToHtmlString();
        });
    }

    // As it is made: what takes long is seen to go on, also by proxies that give up on silence.
    private async Task WriteAsync(ApiCall call, Session session, PageResult.Running running)
    {
        var response = call.Context.Response;
        response.ContentType = "text/html; charset=utf-8";
        var page = await RenderAsync(call, session, running.Page);
        var place = page.IndexOf(Place, StringComparison.Ordinal);
        await response.WriteAsync(page[..place], call.Aborted);
        await response.Body.FlushAsync(call.Aborted);
        await foreach (var step in running.Steps.WithCancellation(call.Aborted))
        {
            await response.WriteAsync(await RenderAsync(running.Step, step), call.Aborted);
            await response.Body.FlushAsync(call.Aborted);
        }
        await response.WriteAsync(page[(place + Place.Length)..], call.Aborted);
    }

    private static async Task WriteAsync(ApiCall call, PageResult.Stream stream)
    {
        var response = call.Context.Response;
        response.ContentType = stream.ContentType;
        try
        {
            await foreach (var line in stream.Lines.WithCancellation(call.Aborted))
                await response.Body.WriteAsync(line, call.Aborted);
        }
        catch (Exception) when (response.HasStarted)
        {
            // That it breaks off is all that can still be told.
            call.Context.Abort();
            throw;
        }
    }

    private static async Task WriteAsync(ApiCall call, string contentType, byte[] bytes)
    {
        var response = call.Context.Response;
        response.ContentType = contentType;
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(call.Request.Method))
            await response.Body.WriteAsync(bytes, call.Aborted);
    }
}
