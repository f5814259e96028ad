using System.Buffers;
using System.Text.Json;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Http;

/// <summary>An answer that is sent while it is made, so that a long one is never held as a whole.</summary>
internal sealed class JsonStream
{
    private const int Enough = 64 * 1024;

    private readonly HttpContext _context;
    private readonly int _status;
    private readonly ArrayBufferWriter<byte> _written = new();

    private JsonStream(HttpContext context, int status) =>
        (_context, _status, Json) = (context, status, new Utf8JsonWriter(_written, JsonText.Options));

    public Utf8JsonWriter Json { get; }

    /// <summary>Answers with JSON that is sent bit by bit. What is wrong before the first bit gets an answer of its own; later, it breaks this one off.</summary>
    public static Task AnswerAsync(ApiCall call, Func<JsonStream, Task> write) => AnswerAsync(call, 200, write);

    /// <summary>The same with another status.</summary>
    public static async Task AnswerAsync(ApiCall call, int status, Func<JsonStream, Task> write)
    {
        var response = call.Context.Response;
        var stream = new JsonStream(call.Context, status);
        await using var json = stream.Json;
        try
        {
            await write(stream);
            await stream.SendAsync();
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
        if (Json.BytesPending + _written.WrittenCount >= Enough)
            await SendAsync();
    }

    private async ValueTask SendAsync()
    {
        await Json.FlushAsync(_context.RequestAborted);
        var response = _context.Response;
        if (!response.HasStarted)
            (response.StatusCode, response.ContentType) = (_status, "application/json");
        await response.BodyWriter.WriteAsync(_written.WrittenMemory, _context.RequestAborted);
        _written.ResetWrittenCount();
    }
}
