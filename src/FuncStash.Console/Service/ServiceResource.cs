using System.Text;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.Client;
using FuncStash.Http;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Console.Service;

/// <summary>What the page of keys and settings tells, for scripts. Not part of QStash (protocol#settings-and-checks).</summary>
public sealed class ServiceResource(SignatureCheck signatures, ServiceReport report, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/settings", AccessLevel.Read, SettingsAsync),
        new("POST", "/v2/keys/check", AccessLevel.Read, CheckAsync),
    ];

    private Task SettingsAsync(ApiCall call) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteString("version", ProductVersion.Text);
        json.WriteStartObject("settings");
        foreach (var setting in SettingTable.Of(options))
            json.WriteString(setting.Name, setting.Value);
        json.WriteEndObject();
        json.WriteString("report", report.Write());
        json.WriteEndObject();
    });

    private async Task CheckAsync(ApiCall call)
    {
        using var request = JsonBody.Parse(await call.BodyAsync((int)Math.Min(int.MaxValue, options.MaxBodyBytes * 2L)), JsonValueKind.Object);
        var root = request.RootElement;
        byte[] body;
        try
        {
            body = root.Text("bodyBase64") is { } base64 ? Convert.FromBase64String(base64) : Encoding.UTF8.GetBytes(root.Text("body") ?? "");
        }
        catch (FormatException)
        {
            throw QStashException.BadRequest("invalid bodyBase64: it is not base64");
        }
        var result = await signatures.CheckAsync(root.Text("signature"), body, root.Text("url"), call.Aborted);
        await call.JsonAsync(200, json => Write(json, result));
    }

    private static void Write(Utf8JsonWriter json, SignatureVerification result)
    {
        json.WriteStartObject();
        json.WriteBoolean("valid", result.IsValid);
        json.WriteBoolean("madeWithNextKey", result.UsesNextKey);
        json.WriteTexts("problems", result.Problems.Select(SignatureVerification.Describe));
        if (result.Claims is { } claims)
        {
            json.WriteStartObject("claims");
            json.WriteIf("iss", claims.Issuer);
            json.WriteIf("sub", claims.Url);
            json.WriteIf("iat", claims.IssuedAt?.ToUnixTimeSeconds());
            json.WriteIf("nbf", claims.NotBefore?.ToUnixTimeSeconds());
            json.WriteIf("exp", claims.ExpiresAt?.ToUnixTimeSeconds());
            json.WriteIf("jti", claims.TokenId);
            json.WriteIf("body", claims.BodyHash);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
