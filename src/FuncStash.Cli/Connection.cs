using System.CommandLine;
using FuncStash.Client;
using FuncStash.Server;

namespace FuncStash.Cli;

/// <summary>The options that say which service a verb is about.</summary>
internal sealed class Connection
{
    /// <summary>Where a server that was started without options is.</summary>
    public const string LocalUrl = "http://127.0.0.1:8080";

    public Option<string?> Url { get; } = new("--url")
    {
        Description = "The service's URL  [QSTASH_URL, or a server on this machine, or with a token alone QStash itself]", HelpName = "URL", Recursive = true,
    };

    public Option<string?> Token { get; } = new("--token")
    {
        Description = "The service's token  [QSTASH_TOKEN, or for a server on this machine its public one]", HelpName = "TOKEN", Recursive = true,
    };

    public Option<bool> Json { get; } = new("--json") { Description = "Write JSON, one object a line", Recursive = true };

    /// <summary>Leaves them out of the help, or not.</summary>
    public void Hide(bool hidden) => Url.Hidden = Token.Hidden = Json.Hidden = hidden;

    /// <summary>Where the service is and who calls, as the options say, or else the environment.</summary>
    /// <exception cref="UsageException">There is no token, or the URL is none.</exception>
    public QStashClientOptions OptionsOf(ParseResult parsed, Func<string, string?> setting) =>
        Resolve(parsed.GetValue(Url) ?? Given(setting("QSTASH_URL")), parsed.GetValue(Token) ?? Given(setting("QSTASH_TOKEN")));

    /// <summary>Where the service is, for what needs no token.</summary>
    /// <exception cref="UsageException">The URL is none.</exception>
    public Uri UrlOf(ParseResult parsed, Func<string, string?> setting) => HttpUrl(parsed.GetValue(Url) ?? Given(setting("QSTASH_URL")) ?? LocalUrl);

    /// <summary>Where the service is and who calls.</summary>
    /// <param name="url">A URL that was given; null for none.</param>
    /// <param name="token">A token that was given; null for none.</param>
    /// <exception cref="UsageException">There is no token, or the URL is none.</exception>
    public static QStashClientOptions Resolve(string? url, string? token)
    {
        // A token without a URL is QStash's, as in its SDKs; nothing at all is a server that was just started here.
        var baseUrl = HttpUrl(url ?? (token is null ? LocalUrl : QStashClientOptions.DefaultBaseUrl.ToString()));
        token ??= baseUrl.IsLoopback ? ServerProcess.PublicToken : throw new UsageException($"there is no token for {baseUrl.Host}: give --token, or set QSTASH_TOKEN");
        return new QStashClientOptions { BaseUrl = baseUrl, Token = token };
    }

    private static Uri HttpUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : throw new UsageException($"'{text}' is no http or https URL");

    private static string? Given(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
