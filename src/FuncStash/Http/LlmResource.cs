using System.Text;
using FuncStash.Access;
using FuncStash.Llm;
using FuncStash.Settings;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Http;

/// <summary><c>POST /llm/v1/chat/completions</c>: asks the provider and passes its answer on as it comes (protocol#llm).</summary>
public sealed class LlmResource(LlmProvider provider, FuncStashOptions options, TimeProvider time) : IResource
{
    private static readonly string[] s_passedOn = ["Content-Type", "Retry-After", "X-Request-Id"];

    public IEnumerable<Route> Routes => [new("POST", "/llm/v1/chat/completions", AccessLevel.Full, CompleteAsync)];

    private async Task CompleteAsync(ApiCall call)
    {
        if (LlmProvider.UrlOf(options) is null)
            throw new QStashException(501, "chat completions are not available: no LLM base URL is configured");
        using var request = new HttpRequestMessage(HttpMethod.Post, (Uri?)null)
        {
            Content = new ByteArrayContent(await call.BodyAsync(options.MaxBodyBytes)),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", call.Request.ContentType ?? "application/json");
        request.Headers.TryAddWithoutValidation("Accept", (string?)call.Request.Headers.Accept ?? "*/*");
        using var timeout = new CancellationTokenSource(options.MaxTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, call.Aborted);
        using var answer = await AskAsync(request, call, either.Token);
        try
        {
            await PassOnAsync(answer, call.Context, either.Token);
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException)
        {
            // The answer has begun: that it breaks off is all that can still be told.
            call.Context.Abort();
        }
    }

    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, ApiCall call, CancellationToken cancellation)
    {
        try
        {
            return await provider.SendAsync(request, cancellation);
        }
        catch (HttpRequestException error)
        {
            throw new QStashException(502, $"the LLM provider gave no answer: {error.Message}");
        }
        catch (OperationCanceledException) when (!call.Aborted.IsCancellationRequested)
        {
            throw new QStashException(504, $"the LLM provider gave no answer within {options.MaxTimeout.TotalSeconds:0} s");
        }
    }

    // Each piece of a stream (SSE) goes on as soon as it is there.
    private static async Task PassOnAsync(HttpResponseMessage answer, HttpContext context, CancellationToken cancellation)
    {
        var response = context.Response;
        response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated))
        {
            var isPassedOn = s_passedOn.Contains(name, StringComparer.OrdinalIgnoreCase)
                || name.StartsWith("x-ratelimit-", StringComparison.OrdinalIgnoreCase);
            // Servers send no others.
            if (isPassedOn && values.ToString() is var value && Ascii.IsValid(value))
                response.Headers.Append(name, value);
        }
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await using var body = await answer.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[8192];
        int read;
        while ((read = await body.ReadAsync(buffer, cancellation)) > 0)
        {
            await response.Body.WriteAsync(buffer.AsMemory(0, read), cancellation);
            await response.Body.FlushAsync(cancellation);
        }
    }
}
