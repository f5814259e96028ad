using System.Text.Json;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Http;

/// <summary>An answer that is sent while it is made, so that a long one is never held as a whole.</summary>
internal sealed class JsonStream(HttpContext context, Utf8JsonWriter json)
{
    private const int Enough = 64 * 1024;

    public Utf8JsonWriter Json { get; } = json;

    /// <summary>Answers with JSON that is sent bit by bit. What is wrong once it has begun breaks it off.</summary>
    public static async Task AnswerAsync(ApiCall call, Func<JsonStream, Task> write)
    {
        var response = call.Context.Response;
        (response.StatusCode, response.ContentType) = (200, "application/json");
        await using var json = new Utf8JsonWriter(response.BodyWriter, JsonText.Options);
        var stream = new JsonStream(call.Context, json);
        try
        {
            await write(stream);
            json.Flush();
            await response.BodyWriter.FlushAsync(call.Aborted);
        }
        catch (Exception) when (response.HasStarted)
        {
            // The answer has begun: that it breaks off is all that can still be told.
            call.Context.Abort();
            throw;
        }
    }

    /// <summary>Sends what has been written, once it is enough.</summary>
    public async ValueTask DrainAsync()
    {
        if (Json.BytesPending + context.Response.BodyWriter.UnflushedBytes < Enough)
            return;
        Json.Flush();
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
