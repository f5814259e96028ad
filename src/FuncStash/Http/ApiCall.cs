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

    // Much work follows on a bigger one, and where it is read, on the thread of the sockets, other requests would wait for it.
    private const int LargeBytes = 16 * 1024;

    /// <summary>Reads the request's body. What follows on a large one runs on a thread that no socket needs.</summary>
    /// <exception cref="QStashException">413 when it has more than <paramref name="limit"/> bytes.</exception>
    public async ValueTask<byte[]> BodyAsync(int limit)
    {
        if (Request.ContentLength > limit)
            throw TooBig(limit);
        if (Request.ContentLength is { } length)
        {
            if (length == 0)
                return [];
            var exact = GC.AllocateUninitializedArray<byte>((int)length);
            await Request.Body.ReadExactlyAsync(exact, Aborted);
            if (length > LargeBytes)
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return exact;
        }
        using var body = new MemoryStream();
        var buffer = new byte[8192];
        int read;
        while ((read = await Request.Body.ReadAsync(buffer, Aborted)) > 0)
        {
            if (body.Length + read > limit)
                throw TooBig(limit);
            body.Write(buffer, 0, read);
        }
        if (body.Length > LargeBytes)
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return body.ToArray();
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
