using System.CommandLine;
using FuncStash.Cli.Terminals;
using System.Text;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary><c>verify</c>: which claim of a signature is wrong.</summary>
internal static class VerifyVerb
{
    public static Verb Of(CommandLine commandLine)
    {
        var signature = new Argument<string>("SIGNATURE") { Description = "The header Upstash-Signature; @FILE and @- read it" };
        var body = new Option<string?>("--body") { HelpName = "TEXT|@FILE", Description = "The body as it came; without it the body is not looked at" };
        var called = new Option<string?>("--called") { HelpName = "URL", Description = "The URL that was called, as the outside knows it; without it the URL is not looked at" };
        var current = new Option<string?>("--current-key") { HelpName = "KEY", Description = "The current signing key  [QSTASH_CURRENT_SIGNING_KEY, or the service's]" };
        var next = new Option<string?>("--next-key") { HelpName = "KEY", Description = "The next signing key  [QSTASH_NEXT_SIGNING_KEY, or the service's]" };
        var at = new Option<string?>("--at") { HelpName = "TIME", Description = "When it came, or how long ago, such as 2h  [now]" };
        return new Verb(
            "verify", "Look at a signature, and tell which of its claims are wrong. Exit code 7 when any is.",
            "funcstash verify eyJ… --body @request.json --called https://example.com/hook",
            "funcstash verify @signature.txt --current-key sig_… --at 2026-01-31T12:00Z")
            .With(signature, body, called, current, next, at)
            .Runs(commandLine, async run =>
            {
                var (currentKey, nextKey) = (run.Of(current) ?? run.Terminal.Setting("QSTASH_CURRENT_SIGNING_KEY"), run.Of(next) ?? run.Terminal.Setting("QSTASH_NEXT_SIGNING_KEY"));
                if (string.IsNullOrEmpty(currentKey))
                {
                    var keys = await run.Client.SigningKeys.GetAsync(run.Cancellation);
                    (currentKey, nextKey) = (keys.Current, keys.Next);
                }

                var time = Times.Before(run.Of(at), run.Terminal.Time);
                var verifier = new SignatureVerifier(currentKey, nextKey) { TimeProvider = time is null ? run.Terminal.Time : new Standing(time.Value) };
                var token = Encoding.UTF8.GetString(await run.Terminal.BytesOfAsync(run.Of(signature), run.Cancellation));
                var verification = run.Of(body) is { } text
                    ? verifier.Verify(token, await run.Terminal.BytesOfAsync(text, run.Cancellation), run.Of(called))
                    : verifier.VerifyClaims(token, run.Of(called));
                Tell(run, verification, run.Of(called), run.Of(body) is not null);
                return verification.IsValid ? ExitCode.Done : ExitCode.Invalid;
            });
    }

    private static void Tell(Invocation run, SignatureVerification verification, string? called, bool hasBody)
    {
        if (run.Json)
        {
            run.Tell(
                new SignatureNote(
                    verification.IsValid, verification.UsesNextKey,
                    [.. verification.Problems.Select(p => new ProblemNote(p.ToString(), SignatureVerification.Describe(p)))], verification.Claims),
                "");
            return;
        }

        var output = run.Terminal.Out;
        if (verification.Claims is not { } claims)
        {
            output.WriteLine($"wrong  {verification.Reason}");
            return;
        }

        Line("key", verification.UsesNextKey ? "the next signing key" : "the current signing key", SignatureProblem.Key);
        Line("iss", claims.Issuer, SignatureProblem.Issuer);
        Line("sub", claims.Url, SignatureProblem.Url, unless: called is null ? "not looked at: no --called" : null);
        Line("exp", Times.Text(claims.ExpiresAt), SignatureProblem.Expired);
        Line("nbf", Times.Text(claims.NotBefore), SignatureProblem.NotYetValid);
        Line("body", claims.BodyHash, SignatureProblem.Body, unless: hasBody ? null : "not looked at: no --body");
        Line("jti", claims.TokenId, SignatureProblem.Replayed);
        output.WriteLine(verification.IsValid ? "The signature is valid." : "The signature is not valid.");

        void Line(string claim, string? value, SignatureProblem problem, string? unless = null)
        {
            var isWrong = verification.Problems.Contains(problem);
            var mark = isWrong ? "wrong" : unless is null ? "ok" : "-";
            var why = isWrong ? $"  ({SignatureVerification.Describe(problem)})" : unless is null ? "" : $"  ({unless})";
            output.WriteLine($"{mark,-5}  {claim,-4}  {PlainText.Of(isWrong && problem == SignatureProblem.Key ? "" : value)}{why}");
        }
    }

    /// <summary>A clock that stands.</summary>
    private sealed class Standing(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}

/// <summary>What is right and wrong with a signature, for programs.</summary>
internal sealed record SignatureNote(bool IsValid, bool UsesNextKey, IReadOnlyList<ProblemNote> Problems, SignatureClaims? Claims);

/// <summary>One thing that is wrong with it.</summary>
internal sealed record ProblemNote(string Problem, string Reason);
