using System.Buffers;
using FuncStash.Access;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Http;

/// <summary>A request that has found its route and may use it.</summary>
/// <param name="Context">The request and its response.</param>
/// <param name="Target">The request target.</param>
/// <param name="Values">The route's parameters, decoded; the raw rest of the target last, where the route has one.</param>
/// <param name="TokenInHeader">True when the token came in <c>Authorization</c>, which then is not the application's.</param>
public sealed record ApiCall(HttpContext Context, RequestTarget Target, IReadOnlyList<string> Values, bool TokenInHeader)
{
    public HttpRequest Request => Context.Request;

    public CancellationToken Aborted => Context.RequestAborted;

    /// <summary>The publisher's address, as <c>Upstash-Caller-Ip</c> passes it on.</summary>
    public string CallerIp
    {
        get
        {
            var address = Context.Connection.RemoteIpAddress;
            if (address is { IsIPv4MappedToIPv6: true })
                address = address.MapToIPv4();
            return address?.ToString() ?? "";
        }
    }

    // Reading a bigger one, and what follows on it, takes long: on the thread of the sockets other requests would wait for it.
    private const int LargeBytes = 16 * 1024;

    /// <summary>Reads the request's body; a large one, and what follows on it, on a thread that no socket needs.</summary>
    /// <exception cref="QStashException">413 when it has more than <paramref name="limit"/> bytes.</exception>
    public async ValueTask<byte[]> BodyAsync(int limit)
    {
        if (Request.ContentLength > limit)
            throw TooBig(limit);
        if (Request.ContentLength is { } length)
        {
            var exact = length == 0 ? [] : GC.AllocateUninitializedArray<byte>((int)length);
            for (var read = 0; read < exact.Length;)
                read += await ReadAsync(exact.AsMemory(read), exact.Length) is > 0 and var more ? more : throw new EndOfStreamException();
            return exact;
        }
        var body = new ArrayBufferWriter<byte>();
        while (await ReadAsync(body.GetMemory(8192), body.WrittenCount) is > 0 and var more)
        {
            if (body.WrittenCount + more > limit)
                throw TooBig(limit);
            body.Advance(more);
        }
        return body.WrittenSpan.ToArray();
    }

    // A read that waited goes on where the socket's event was, which holds what else came on it back.
    private async ValueTask<int> ReadAsync(Memory<byte> room, int size)
    {
        var read = await Request.Body.ReadAsync(room, Aborted);
        if (size > LargeBytes && !Thread.CurrentThread.IsThreadPoolThread)
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return read;
    }

    private static QStashException TooBig(int limit) => new(413, $"the body is too big: at most {limit} bytes are allowed");
}

/// <summary>One route of the API.</summary>
/// <param name="Method">The HTTP method; <see cref="AnyMethod"/> for all of them.</param>
/// <param name="Pattern">Segments: fixed ones (compared without case), <c>{name}</c>, and last <c>{rest*}</c>, raw with the query.</param>
/// <param name="Access">What the token must allow.</param>
/// <param name="Handle">Answers the call.</param>
public sealed record Route(string Method, string Pattern, AccessLevel Access, Func<ApiCall, Task> Handle)
{
    public const string AnyMethod = "*";

    public bool Takes(string method) => Method == method || Method == AnyMethod;
}
