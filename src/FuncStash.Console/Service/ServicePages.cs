using System.Text;
using FuncStash.Access;
using FuncStash.Client;
using FuncStash.Console.Parts;
using FuncStash.Console.Serving;
using FuncStash.Settings;
using FuncStash.Signing;
using FuncStash.Wire;

namespace FuncStash.Console.Service;

/// <summary>The service itself: its token, its signing keys, its settings, and what to say of it in a bug report.</summary>
internal sealed class ServicePages(SigningKeys keys, ServiceReport report, FuncStashOptions options, TimeProvider time) : IPages
{
    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/settings", AccessLevel.Read, call => ShowAsync(call, null)),
        new("POST", "/settings/check", AccessLevel.Read, CheckAsync),
        new("GET", "/settings/rotate", AccessLevel.Full, _ => Task.FromResult<PageResult>(Ask())),
        new("POST", "/settings/rotate", AccessLevel.Full, RotateAsync),
    ];

    private async Task<PageResult> ShowAsync(ConsoleCall call, SignatureCheck? check)
    {
        var pair = await keys.GetAsync(call.Aborted);
        return new PageResult.View("Keys and settings", typeof(ServicePage), new ServiceModel(
            options.Tokens[0], pair.Current, pair.Next, SettingTable.Of(options), report.Write(), check, call.Query("done")));
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
                throw QStashException.BadRequest("The body is not base64.");
            }
        }
        var pair = await keys.GetAsync(call.Aborted);
        var verifier = new SignatureVerifier(pair.Current, pair.Next) { TimeProvider = time };
        return await ShowAsync(call, new SignatureCheck(signature, url ?? "", text, isBase64, verifier.Verify(signature, body, url)));
    }

    private static PageResult.View Ask() => new("Rotate the signing keys", typeof(ConfirmPage), new ConfirmModel(
        "Rotate the signing keys?",
        "Deliveries are then signed with what is the next key now, and a new next key is made. Receivers that have both keys go on without "
        + "a change; give them the new pair before the next rotation. One that has only the current key refuses deliveries from then on.",
        "Rotate the keys", "settings/rotate", "settings"));

    private async Task<PageResult> RotateAsync(ConsoleCall call)
    {
        await keys.RotateAsync(call.Aborted);
        return new PageResult.Redirect("settings?done=rotated");
    }
}
