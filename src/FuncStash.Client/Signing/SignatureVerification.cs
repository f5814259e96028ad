namespace FuncStash.Client;

/// <summary>The outcome of looking at a signature.</summary>
public sealed record SignatureVerification
{
    /// <summary>Whether nothing is wrong with it.</summary>
    public bool IsValid => Problems.Count == 0;

    /// <summary>What is wrong with it, the weightiest first; with the wrong key, what else would be.</summary>
    public IReadOnlyList<SignatureProblem> Problems { get; init; } = [];

    /// <summary>What is wrong with it before all; <see cref="SignatureProblem.None"/> when it is valid.</summary>
    public SignatureProblem Problem => Problems is [var first, ..] ? first : SignatureProblem.None;

    /// <summary>What it says, where it can be read; to be believed only when it is valid.</summary>
    public SignatureClaims? Claims { get; init; }

    /// <summary>Whether it was made with the next key and not the current one: the keys were rotated, and the receiver does not know yet.</summary>
    public bool UsesNextKey { get; init; }

    /// <summary>What is wrong in words, that tell nothing a caller may not know; empty when it is valid.</summary>
    public string Reason => Describe(Problem);

    /// <summary>A problem in words.</summary>
    /// <param name="problem">The problem.</param>
    /// <returns>Such as <c>exp: the signature has expired</c>.</returns>
    public static string Describe(SignatureProblem problem) => problem switch
    {
        SignatureProblem.None => "",
        SignatureProblem.Missing => "there is no Upstash-Signature header",
        SignatureProblem.Malformed => "it is not a JSON Web Token signed with HS256",
        SignatureProblem.Key => "it was not made with the current or next signing key",
        SignatureProblem.Issuer => "iss: the issuer is not Upstash",
        SignatureProblem.Url => "sub: it was made for another URL",
        SignatureProblem.Expired => "exp: it has expired",
        SignatureProblem.NotYetValid => "nbf: it is not valid yet",
        SignatureProblem.Body => "body: it was made for another body",
        SignatureProblem.Replayed => "jti: it was used before",
        _ => throw new ArgumentOutOfRangeException(nameof(problem), problem, null),
    };

    internal SignatureVerification With(SignatureProblem problem) => this with { Problems = [.. Problems, problem] };
}
