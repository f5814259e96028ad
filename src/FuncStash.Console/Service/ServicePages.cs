using System.Security.Cryptography;
using System.Text;
using FuncStash.Access;
using FuncStash.Console.Parts;
using FuncStash.Console.Serving;
using FuncStash.Settings;
using FuncStash.Signing;

namespace FuncStash.Console.Service;

/// <summary>The service itself: its token, its signing keys, its settings, and what to say of it in a bug report.</summary>
internal sealed class ServicePages(SigningKeys keys, SignatureCheck signatures, ServiceReport report, FuncStashOptions options) : IPages
{
    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/settings", AccessLevel.Read, call => ShowAsync(call, null)),
        new("POST", "/settings/check", AccessLevel.Read, CheckAsync),
        new("GET", "/settings/rotate", AccessLevel.Full, AskAsync),
        new("POST", "/settings/rotate", AccessLevel.Full, RotateAsync),
    ];

    private async Task<PageResult> ShowAsync(ConsoleCall call, CheckedSignature? check)
    {
        var pair = await keys.GetAsync(call.Aborted);
        return new PageResult.View("Keys and settings", typeof(ServicePage), new ServiceModel(
            options.Tokens[0], pair.Current, pair.Next, SettingTable.Of(options), report.Write(), check, call.Query("done")))
        {
            Status = check is { Result: null } ? 400 : 200,
        };
    }

    private async Task<PageResult> CheckAsync(ConsoleCall call)
    {
        var (signature, url) = (call.Field("signature")?.Trim() ?? "", call.Field("url")?.Trim());
        // A browser sends the ends of lines as CR LF, whatever they were.
        var text = call.Field("body")?.Replace("\r\n", "\n", StringComparison.Ordinal) ?? "";
        var isBase64 = call.Field("base64") is not null;
        var body = Encoding.UTF8.GetBytes(text);
        if (isBase64)
        {
            try
            {
                body = Convert.FromBase64String(text);
            }
            catch (FormatException)
            {
                return await ShowAsync(call, new CheckedSignature(signature, url ?? "", text, isBase64, null));
            }
        }
        return await ShowAsync(call, new CheckedSignature(
            signature, url ?? "", text, isBase64, await signatures.CheckAsync(signature, body, url, call.Aborted)));
    }

    private async Task<PageResult> AskAsync(ConsoleCall call) => new PageResult.View("Rotate the signing keys", typeof(ConfirmPage), new ConfirmModel(
        "Rotate the signing keys?",
        "Deliveries are then signed with what is the next key now, and a new next key is made. Receivers that have both keys go on without "
        + "a change; give them the new pair before the next rotation. One that has only the current key refuses deliveries from then on.",
        "Rotate the keys", "settings/rotate", "settings")
        {
            Fields = [("keys", MarkOf(await keys.GetAsync(call.Aborted)))],
        });

    private async Task<PageResult> RotateAsync(ConsoleCall call)
    {
        // A second yes to the same question, or another operator's, rotates nothing: a receiver bears one rotation at a time.
        var meant = call.Field("keys");
        var isMeant = false;
        await keys.RotateAsync(pair => isMeant = MarkOf(pair) == meant, call.Aborted);
        return new PageResult.Redirect($"settings?done={(isMeant ? "rotated" : "rotated-before")}");
    }

    // Tells one pair from another, and nothing of it.
    private static string MarkOf(SigningKeyPair pair) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{pair.Current}|{pair.Next}")).AsSpan(0, 8));
}
