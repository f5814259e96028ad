using FuncStash.Access;
using FuncStash.Signing;

namespace FuncStash.Http;

/// <summary><c>/v2/keys</c>: the signing keys (protocol#keys).</summary>
public sealed class KeysResource(SigningKeys keys) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        // With them anybody can sign deliveries, so a token that may only look does not get them.
        new("GET", "/v2/keys", AccessLevel.Full, async call => await AnswerAsync(call, await keys.GetAsync(call.Aborted))),
        new("POST", "/v2/keys/rotate", AccessLevel.Full, async call => await AnswerAsync(call, await keys.RotateAsync(call.Aborted))),
    ];

    private static Task AnswerAsync(ApiCall call, SigningKeyPair pair) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteString("current", pair.Current);
        json.WriteString("next", pair.Next);
        json.WriteEndObject();
    });
}
