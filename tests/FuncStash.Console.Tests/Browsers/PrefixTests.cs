using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>Behind a proxy that puts a path before it, as a company's one host does.</summary>
public abstract class PrefixTests(HostFixture hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    private const string Prefix = "/tools/funcstash";

    [Fact]
    public async Task Every_link_form_and_asset_stays_below_the_prefix()
    {
        var label = Unique("label");
        await FailAsync("/" + label, label);
        await using var proxy = await StartAsync();
        var root = proxy.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + Prefix + "/console/";
        var page = await NewPageAsync();
        var outside = new List<string>();
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(root, StringComparison.Ordinal))
                outside.Add(request.Url);
        };

        await page.GotoAsync(root);
        await page.GetByRole(AriaRole.Link, new() { Name = "Dead letters", Exact = true }).ClickAsync();
        await page.GetByLabel("Search dead letters").FillAsync(label);
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await page.Locator("input[name=id]").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry chosen" }).ClickAsync();
        await Expect(page.Locator(".notice")).ToHaveTextAsync("1 dead letter sent again.");
        foreach (var link in (string[])["Overview", "Messages", "Workflow runs", "Live", "Send", "Schedules", "URL groups", "Queues", "Flow control", "Keys and settings"])
        {
            await page.GetByRole(AriaRole.Link, new() { Name = link, Exact = true }).First.ClickAsync();
            await Expect(page.Locator("nav a[aria-current=page]")).ToHaveTextAsync(link);
        }

        Assert.Empty(outside);
        AssertNoComplaint();
    }

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        app.Lifetime.ApplicationStopped.Register(http.Dispose);
        app.Run(context => ForwardAsync(http, context));
        await app.StartAsync();
        return app;
    }

    private async Task ForwardAsync(HttpClient http, HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        using var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method), Host.Url.GetLeftPart(UriPartial.Authority) + target[Prefix.Length..]);
        if (context.Request.ContentLength > 0)
            request.Content = new StreamContent(context.Request.Body);
        foreach (var (name, values) in context.Request.Headers.Where(header => header.Key is not ("Connection" or "Content-Length")))
        {
            if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
                request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers).Where(header => header.Key != "Transfer-Encoding"))
            context.Response.Headers[name] = values.ToArray();
        await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}

public sealed class PrefixOnServer(SqliteHost hosts, Chromium chromium) : PrefixTests(hosts, chromium);

public sealed class PrefixOnFunctions(FunctionsHost hosts, Chromium chromium) : PrefixTests(hosts, chromium);
