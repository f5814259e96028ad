using System.Buffers;
using System.Text.Json;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Http;

/// <summary>Writes answers: JSON always, errors as an object with <c>error</c> (protocol#errors).</summary>
internal static class Answer
{
    public static async Task JsonAsync(this ApiCall call, int status, Action<Utf8JsonWriter> write) =>
        await WriteAsync(call.Context, status, write);

    /// <summary>Answers 200 with an array, each item as <paramref name="write"/> has it.</summary>
    public static Task JsonListAsync<T>(this ApiCall call, IEnumerable<T> items, Action<Utf8JsonWriter, T> write) => call.JsonAsync(200, json =>
    {
        json.WriteStartArray();
        foreach (var item in items)
            write(json, item);
        json.WriteEndArray();
    });

    public static Task OkAsync(this ApiCall call) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteEndObject();
    });

    public static Task ErrorAsync(HttpContext context, int status, string message) =>
        WriteAsync(context, status, json => ErrorJson.Write(json, message));

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
