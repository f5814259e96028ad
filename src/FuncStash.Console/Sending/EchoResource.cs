using System.Globalization;
using System.Text;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.Http;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Console.Sending;

/// <summary>
/// A destination to try things with, on a development server only: it answers with what it was sent, with the status that
/// <c>?status=</c> asks for. Not part of QStash.
/// </summary>
public sealed class EchoResource(FuncStashOptions options) : IResource
{
    /// <summary>Its path.</summary>
    public const string Path = "/console/echo";

    private const int MaxShown = 16 * 1024;

    public IEnumerable<Route> Routes => [new(Route.AnyMethod, Path, AccessLevel.None, AnswerAsync)];

    /// <summary>Whether there is one here.</summary>
    public static bool IsOn(FuncStashOptions options) => options.Tokens.Any(DevServer.IsPublic);

    private async Task AnswerAsync(ApiCall call)
    {
        if (!IsOn(options))
            throw QStashException.NotFound($"no such route: {call.Request.Method} {call.Target.Path}");
        var body = await call.BodyAsync(options.MaxBodyBytes);
        var status = StatusOf(call.Target["status"]);
        call.Context.Response.Headers.XContentTypeOptions = "nosniff";
        // They may have no body (RFC 9110 §6.4.1).
        if (status is 204 or 205 or 304)
            call.Context.Response.StatusCode = status;
        else
            await call.JsonAsync(status, json => Write(json, call, body));
    }

    private static int StatusOf(string? asked) =>
        asked is null ? 200
        : int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 200 and <= 599 ? status
        : throw QStashException.BadRequest($"invalid status: {ShortText.Of(asked, 80)}: must be a number from 200 to 599");

    private static void Write(Utf8JsonWriter json, ApiCall call, byte[] body)
    {
        json.WriteStartObject();
        json.WriteString("method", call.Request.Method);
        json.WriteStartObject("headers");
        foreach (var (name, values) in call.Request.Headers)
            json.WriteString(name, values.ToString());
        json.WriteEndObject();
        json.WriteNumber("bodyBytes", body.Length);
        json.WriteString("body", Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, MaxShown))));
        json.WriteEndObject();
    }
}
