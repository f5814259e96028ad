using FuncStash.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FuncStash.AspNetCore;

/// <summary>Lets a request through to its endpoint when its signature is good, and refuses it otherwise.</summary>
internal static partial class SignatureCheck
{
    /// <summary>Looks at a request, and answers it when it is refused; otherwise its body can be read as if nobody had.</summary>
    /// <returns>Whether it may go on.</returns>
    /// <exception cref="InvalidOperationException">There are no signing keys: nothing is let through.</exception>
    public static async Task<bool> PassesAsync(HttpContext context, Action<QStashSignatureOptions>? configure)
    {
        var options = OptionsOf(context, configure);
        var url = options.CheckUrl ? CalledUrl(context, options.PublicBaseUrl) : null;
        var verification = VerifierOf(context, options).VerifyClaims(context.Request.Headers["Upstash-Signature"], url);
        // Only what the service signed is read at all.
        if (!verification.IsValid)
            return await RefuseAsync(context, verification, url);
        if (await BufferedBody.ReadAsync(context, options.MaxBodyBytes) is not { } body)
            return await RefuseTooLongAsync(context, options.MaxBodyBytes);
        var claims = verification.Claims!;
        if (!claims.Covers(body.Span))
            return await RefuseAsync(context, new() { Problems = [SignatureProblem.Body], Claims = claims }, url);
        // A group and an endpoint in it may both ask for a signature: it is used once all the same.
        if (context.Features.Get<SignatureClaims>() is null
            && context.RequestServices.GetService<IQStashReplayCache>() is { } used && !await used.TryUseAsync(
            claims.TokenId ?? "", (claims.ExpiresAt ?? default) + options.ClockSkew, context.RequestAborted))
            return await RefuseAsync(context, new() { Problems = [SignatureProblem.Replayed], Claims = claims }, url);
        context.Features.Set(claims);
        return true;
    }

    private static QStashSignatureOptions OptionsOf(HttpContext context, Action<QStashSignatureOptions>? configure)
    {
        var options = context.RequestServices.GetRequiredService<IOptionsMonitor<QStashSignatureOptions>>().CurrentValue;
        if (configure is null)
            return options;
        options = options.Copy();
        configure(options);
        return options;
    }

    private static SignatureVerifier VerifierOf(HttpContext context, QStashSignatureOptions options)
    {
        var services = context.RequestServices;
        var settings = services.GetService<IConfiguration>();
        var current = options.CurrentSigningKey ?? settings?["QSTASH_CURRENT_SIGNING_KEY"];
        if (string.IsNullOrEmpty(current))
        {
            throw new InvalidOperationException(
                "RequireQStashSignature has no signing key: set QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY, or QStashSignatureOptions.");
        }

        return new SignatureVerifier(current, options.NextSigningKey ?? settings?["QSTASH_NEXT_SIGNING_KEY"])
        {
            ClockSkew = options.ClockSkew,
            TimeProvider = services.GetService<TimeProvider>() ?? TimeProvider.System,
        };
    }

    /// <summary>The URL the sender used, its path and query as they came in, whatever a middleware made of them.</summary>
    private static string CalledUrl(HttpContext context, Uri? publicBase)
    {
        var request = context.Request;
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget is ['/', ..] raw ? raw : request.GetEncodedPathAndQuery();
        var before = publicBase is null ? $"{request.Scheme}://{request.Host.ToUriComponent()}" : publicBase.AbsoluteUri.TrimEnd('/');
        return before + target;
    }

    private static async Task<bool> RefuseAsync(HttpContext context, SignatureVerification verification, string? url)
    {
        var log = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("FuncStash.AspNetCore.Signature");
        // What a stranger wrote is told to nobody; what the service signed helps to find a wrong proxy setting.
        var known = !verification.Problems.Contains(SignatureProblem.Key) && verification.Claims is not null;
        LogRefused(log, verification.Problem, verification.Reason, WithoutQuery(url), known ? WithoutQuery(verification.Claims!.Url) : "(not known)");
        // RFC 9110 §15.5.2 wants a challenge.
        context.Response.Headers.WWWAuthenticate = "Upstash-Signature";
        await AnswerAsync(context, StatusCodes.Status401Unauthorized, $"invalid signature: {verification.Reason}");
        return false;
    }

    private static async Task<bool> RefuseTooLongAsync(HttpContext context, long maxBytes)
    {
        await AnswerAsync(context, StatusCodes.Status413PayloadTooLarge, $"the body is longer than {maxBytes} bytes");
        return false;
    }

    private static async Task AnswerAsync(HttpContext context, int status, string error)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        // The texts are this package's own and have nothing to escape.
        await context.Response.WriteAsync($$"""{"error":"{{error}}"}""", context.RequestAborted);
    }

    // Queries may carry secrets.
    private static string? WithoutQuery(string? url) => url?.Split('?')[0];

    [LoggerMessage(1, LogLevel.Warning, "Refused a request ({Problem}): {Reason}. Called was {Url}, signed {SignedUrl}.")]
    private static partial void LogRefused(ILogger log, SignatureProblem problem, string reason, string? url, string? signedUrl);
}
