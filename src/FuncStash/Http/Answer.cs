using System.Buffers;
using System.Text.Json;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Http;

/// <summary>Writes answers: JSON always, errors as an object with <c>error</c> (protocol#errors).</summary>
internal static class Answer
{
    private const int Piece = 12 * 1024;

    public static async Task JsonAsync(this ApiCall call, int status, Action<Utf8JsonWriter> write) =>
        await WriteAsync(call.Context, status, write);

    public static Task OkAsync(this ApiCall call) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteEndObject();
    });

    /// <summary>Answers with an error; where another answer has begun, that breaks off, so that nobody takes the part for the whole.</summary>
    public static Task ErrorAsync(HttpContext context, int status, string message)
    {
        if (!HasBegun(context.Response))
        {
            // It may quote what was asked for, and a browser shows it.
            context.Response.Headers.XContentTypeOptions = "nosniff";
            context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
            return WriteAsync(context, status, json => ErrorJson.Write(json, message));
        }
        context.Abort();
        return Task.CompletedTask;
    }

    // What was written cannot be taken back, also before it is sent.
    private static bool HasBegun(HttpResponse response) =>
        response.HasStarted || response.BodyWriter is { CanGetUnflushedBytes: true, UnflushedBytes: > 0 };

    private static async Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, JsonText.Options))
            write(json);
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = buffer.WrittenCount;
        // A HEAD is answered as its GET, in headers only (RFC 9110 §9.3.2).
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        await response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    /// <summary>Writes bytes as base64 piece by piece, so that no buffer is as long as the text.</summary>
    public static void WriteBase64(this Utf8JsonWriter json, string name, ReadOnlySpan<byte> bytes)
    {
        json.WritePropertyName(name);
        for (; bytes.Length > Piece; bytes = bytes[Piece..])
            json.WriteBase64StringSegment(bytes[..Piece], isFinalSegment: false);
        json.WriteBase64StringSegment(bytes, isFinalSegment: true);
    }

    /// <summary>Writes UTF-8 as text, in the same way.</summary>
    public static void WriteUtf8(this Utf8JsonWriter json, string name, ReadOnlySpan<byte> utf8)
    {
        json.WritePropertyName(name);
        for (; utf8.Length > Piece; utf8 = utf8[Piece..])
            json.WriteStringValueSegment(utf8[..Piece], isFinalSegment: false);
        json.WriteStringValueSegment(utf8, isFinalSegment: true);
    }

    /// <summary>Writes <c>true</c> where something is so, and nothing where it is not.</summary>
    public static void WriteMark(this Utf8JsonWriter json, string name, bool isSo)
    {
        if (isSo)
            json.WriteBoolean(name, true);
    }

    public static void WriteTexts(this Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    public static void WriteIf(this Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }

    public static void WriteIf(this Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
    }
}
