namespace FuncStash.Client;

/// <summary>What is wrong with a signature.</summary>
public enum SignatureProblem
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>There is no signature.</summary>
    Missing,

    /// <summary>It is no JSON Web Token of three parts, signed with HS256.</summary>
    Malformed,

    /// <summary>It was not made with either key, or its claims were altered.</summary>
    Key,

    /// <summary>The claim <c>iss</c> is not <c>Upstash</c>.</summary>
    Issuer,

    /// <summary>The claim <c>sub</c> is another URL than the one that was called: it was made for another endpoint.</summary>
    Url,

    /// <summary>The time of the claim <c>exp</c> has come, or there is none.</summary>
    Expired,

    /// <summary>The time of the claim <c>nbf</c> has not come yet: one of the clocks is wrong.</summary>
    NotYetValid,

    /// <summary>The claim <c>body</c> is the hash of another body than the one that came.</summary>
    Body,

    /// <summary>The claim <c>jti</c> was seen before: the request is repeated. Only where something remembers them.</summary>
    Replayed,
}
