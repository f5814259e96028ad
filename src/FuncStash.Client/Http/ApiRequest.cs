namespace FuncStash.Client;

/// <summary>One call of the service, before any attempt to make it.</summary>
/// <param name="Method">The method of the call itself, not that of a delivery.</param>
/// <param name="Target">Path and query as they are sent, percent-encoded where they must be.</param>
internal sealed record ApiRequest(HttpMethod Method, string Target)
{
    /// <summary>Headers besides the token's; <c>Content-Type</c> may be among them.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>Whether the call does no more when it is made twice.</summary>
    public bool Repeatable { get; init; }

    public static ApiRequest Get(string target) => new(HttpMethod.Get, target) { Repeatable = true };

    /// <summary>A call that sets a state, which it may as well do twice.</summary>
    public static ApiRequest Set(HttpMethod method, string target) => new(method, target) { Repeatable = true };

    public static ApiRequest Json(HttpMethod method, string target, byte[] json) => new(method, target)
    {
        Headers = new Dictionary<string, string> { ["Content-Type"] = "application/json" },
        Body = json,
        Repeatable = true,
    };
}
