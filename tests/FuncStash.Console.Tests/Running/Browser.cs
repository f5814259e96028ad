using System.Net;
using System.Text.RegularExpressions;
using FuncStash.Http;
using FuncStash.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Console.Tests.Running;

/// <summary>What a browser would do with the console, without one: it keeps cookies, and sends what browsers send.</summary>
internal sealed class Browser(TestService service)
{
    private readonly Dictionary<string, string> _cookies = new(StringComparer.Ordinal);

    public string Host { get; init; } = "127.0.0.1:8080";

    /// <summary>What it says about where a post comes from; empty for nothing.</summary>
    public string Site { get; init; } = "same-origin";

    public string? Origin { get; init; }

    public IReadOnlyCollection<string> Cookies => _cookies.Keys;

    /// <summary>A page; one that leads to itself under an address of its own is followed there.</summary>
    public async Task<Answered> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        var answer = await SendAsync("GET", path, null, headers);
        return answer.Status == 303 && answer.Target(path) is var target && target.Split('?')[0] == path.Split('?')[0]
            ? await SendAsync("GET", target, null, headers)
            : answer;
    }

    public Task<Answered> PostAsync(string path, params (string Name, string Value)[] fields) =>
        SendAsync("POST", path, string.Join('&', fields.Select(f => $"{Uri.EscapeDataString(f.Name)}={Uri.EscapeDataString(f.Value)}")), []);

    /// <summary>A post, and then the page to which its answer leads.</summary>
    public async Task<Answered> FollowAsync(string path, params (string Name, string Value)[] fields)
    {
        var answer = await PostAsync(path, fields);
        Assert.Equal(303, answer.Status);
        return await GetAsync(answer.Target(path));
    }

    public async Task<Answered> SignInAsync(string token) => await PostAsync("/console/sign-in", ("token", token));

    private async Task<Answered> SendAsync(string method, string path, string? form, (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        var feature = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        (feature.Method, feature.Scheme, feature.RawTarget, feature.Path) = (method, "http", path, path.Split('?')[0]);
        context.Request.Host = new HostString(Host);
        if (Site.Length > 0)
            context.Request.Headers["Sec-Fetch-Site"] = Site;
        if (Origin is not null)
            context.Request.Headers.Origin = Origin;
        foreach (var (name, value) in headers)
            context.Request.Headers[name] = value;
        if (_cookies.Count > 0)
            context.Request.Headers.Cookie = string.Join("; ", _cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"));
        if (form is not null)
        {
            context.Request.ContentType = "application/x-www-form-urlencoded";
            context.Request.Body = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(form));
            context.Request.ContentLength = context.Request.Body.Length;
        }
        using var body = new MemoryStream();
        context.Response.Body = body;
        await service.Get<Api>().HandleAsync(context);
        foreach (var cookie in context.Response.Headers.SetCookie)
        {
            var (name, value) = cookie!.Split(';')[0].Split('=', 2) is [var left, var right] ? (left, right) : (cookie, "");
            if (cookie.Contains("Max-Age=0", StringComparison.Ordinal))
                _cookies.Remove(name);
            else
                _cookies[name] = value;
        }
        return new Answered(context.Response.StatusCode, body.ToArray(), context.Response.Headers);
    }
}

/// <summary>What came back.</summary>
internal sealed partial record Answered(int Status, byte[] Bytes, IHeaderDictionary Headers)
{
    public string Html => System.Text.Encoding.UTF8.GetString(Bytes);

    /// <summary>What a reader sees of it: no tags, no entities, one space between words.</summary>
    public string Text => Spaces().Replace(WebUtility.HtmlDecode(Tags().Replace(Html, " ")), " ").Trim();

    /// <summary>The address that it leads to, from the one that was asked.</summary>
    public string Target(string from) => new Uri(new Uri("http://host" + from), Headers.Location.ToString()).PathAndQuery;

    /// <summary>Where the page's links lead, as the browser resolves them against its base; not the one that skips to its content.</summary>
    public IEnumerable<string> Links(string from)
    {
        var root = new Uri(new Uri("http://host" + from), Base().Match(Html).Groups[1].Value);
        return Hrefs().Matches(Html).Select(match => new Uri(root, WebUtility.HtmlDecode(match.Groups[1].Value)).PathAndQuery);
    }

    /// <summary>What a browser would send of a form as it stands.</summary>
    /// <param name="action">Where it is posted to.</param>
    public (string Name, string Value)[] Fields(string action)
    {
        var form = Html.Split($"<form method=\"post\" action=\"{action}\"")[1].Split("</form>")[0];
        var fields = new List<(string, string)>();
        foreach (Match input in Regex.Matches(form, "<input ([^>]*)>"))
        {
            var tag = input.Groups[1].Value;
            if (!tag.Contains("type=\"checkbox\"", StringComparison.Ordinal) && (!tag.Contains("type=\"radio\"", StringComparison.Ordinal) || tag.Contains(" checked", StringComparison.Ordinal)))
                fields.Add((Attribute(tag, "name"), Attribute(tag, "value")));
        }
        foreach (Match area in Regex.Matches(form, "<textarea ([^>]*)>([^<]*)</textarea>"))
            fields.Add((Attribute(area.Groups[1].Value, "name"), WebUtility.HtmlDecode(area.Groups[2].Value)[1..].Replace("\n", "\r\n", StringComparison.Ordinal)));
        return [.. fields];

        static string Attribute(string tag, string name) => WebUtility.HtmlDecode(Regex.Match(tag, $"(?:^| ){name}=\"([^\"]*)\"").Groups[1].Value);
    }

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex("<base href=\"([^\"]*)\"")]
    private static partial Regex Base();

    [GeneratedRegex("<(?:a(?! class=\"skip\")|link|script|form)[^>]* (?:href|src|action)=\"([^\"]*)\"")]
    private static partial Regex Hrefs();
}

/// <summary>A service with the console, and messages to look at.</summary>
internal static class Consoles
{
    public const string Token = "a-token-that-only-this-test-knows", ReadOnly = "a-token-to-look-with";

    public static FuncStashOptions Secret { get; } = new()
    {
        Tokens = [Token],
        ReadOnlyTokens = [ReadOnly],
        CurrentSigningKey = "sig_0123456789012345678901234567",
        NextSigningKey = "sig_7654321076543210765432107654",
    };

    public static TestService Start(FuncStashOptions? options = null) => new(options, change: services => services.AddFuncStashConsole());
}
