using System.Collections.Concurrent;
using System.Net;
using System.Text;
using FuncStash.Messages;
using FuncStash.Settings;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Tests.Llm;

public sealed class LlmTests : IAsyncLifetime
{
    private const string Key = "sk-operators-own";
    private const string Question = """{"model":"m","messages":[{"role":"user","content":"hi"}]}""";

    private readonly ConcurrentQueue<(string Line, string? Authorization, string Body)> _asked = new();
    private StandIn _provider = null!;
    private Func<HttpContext, Task> _answer = context => context.Response.WriteAsync("""{"choices":[]}""");

    public async ValueTask InitializeAsync() => _provider = await StandIn.StartAsync(async context =>
    {
        using var reader = new StreamReader(context.Request.Body);
        _asked.Enqueue(($"{context.Request.Method} {context.Request.Path}", context.Request.Headers.Authorization, await reader.ReadToEndAsync()));
        await _answer(context);
    });

    public ValueTask DisposeAsync() => _provider.DisposeAsync();

    [Fact]
    public async Task The_legacy_destination_goes_to_the_configured_provider_with_its_key()
    {
        await using var service = NewService();

        var id = await service.PublishAsync("api/llm", Question, ("Upstash-Callback", _provider.Url + "/done"));
        await service.DeliverDueAsync();

        Assert.Equal(MessageState.Delivered, (await service.MessageAsync(id))!.Progress.State);
        Assert.True(_asked.TryDequeue(out var asked));
        Assert.Equal(("POST /v1/chat/completions", "Bearer " + Key, Question), asked);
        // The callback is the application's and gets no key.
        Assert.True(_asked.TryDequeue(out var called));
        Assert.Equal(("POST /done", null), (called.Line, called.Authorization));
    }

    [Fact]
    public async Task The_key_is_in_no_answer_and_in_no_row()
    {
        await using var service = NewService();
        _answer = context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var id = await service.PublishAsync("api/llm", Question, ("Upstash-Callback", _provider.Url + "/done"), ("Upstash-Retries", "0"));
        await service.DeliverDueAsync();

        foreach (var target in new[] { "/v2/messages/" + id, "/v2/events", "/v2/logs", "/v2/dlq" })
        {
            var answer = await service.CallAsync("GET", target);
            Assert.Equal(200, answer.Status);
            Assert.DoesNotContain(Key, answer.Text, StringComparison.Ordinal);
            Assert.Contains("\"api\":\"api/llm\"", answer.Text, StringComparison.Ordinal);
        }
        var stored = (await service.MessageAsync(id))!.Message;
        Assert.DoesNotContain(Key, Encoding.UTF8.GetString(MessageJson.Write(stored)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_operators_provider_may_be_private_though_destinations_may_not()
    {
        await using var service = new TestService(new()
        {
            AllowPrivateNetworks = false, LlmBaseUrl = _provider.Url, LlmApiKey = Key,
        });

        var id = await service.PublishAsync("api/llm", Question, ("Upstash-Callback", "https://example.com/"));
        var lease = Assert.Single(await service.ReceiveAsync());
        await service.RunAsync(lease);

        Assert.Equal(MessageState.Delivered, (await service.MessageAsync(id))!.Progress.State);
    }

    [Fact]
    public async Task A_publish_is_refused_without_a_callback_or_a_provider()
    {
        await using var service = NewService();
        await using var without = new TestService();

        var noCallback = await service.CallAsync("POST", "/v2/publish/api/llm", Question);
        var noProvider = await without.CallAsync("POST", "/v2/publish/api/llm", Question, null, ("Upstash-Callback", "https://example.com/"));

        Assert.Equal((400, 400), (noCallback.Status, noProvider.Status));
        Assert.Contains("callback", noCallback.Error, StringComparison.Ordinal);
        Assert.Contains("LLM base URL", noProvider.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_providers_rate_limit_says_when_to_try_again()
    {
        await using var service = NewService();
        _answer = context =>
        {
            context.Response.StatusCode = _asked.Count == 1 ? 429 : 200;
            context.Response.Headers["x-ratelimit-reset-requests"] = "6m5s";
            return Task.CompletedTask;
        };
        var id = await service.PublishAsync("api/llm", Question, ("Upstash-Callback", "http://127.0.0.1:1/"));

        await service.RunAsync(Assert.Single(await service.ReceiveAsync()));
        Assert.Equal(service.Now + 365_000, (await service.MessageAsync(id))!.Progress.DueAt);
        service.Time.Advance(TimeSpan.FromSeconds(365));
        await service.DeliverDueAsync();

        Assert.Equal(MessageState.Delivered, (await service.MessageAsync(id))!.Progress.State);
    }

    [Fact]
    public async Task The_synchronous_call_passes_request_and_answer_on()
    {
        await using var service = NewService();
        _answer = context =>
        {
            context.Response.StatusCode = 429;
            context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.Headers["x-ratelimit-limit-requests"] = "10";
            context.Response.Headers["set-cookie"] = "a=b";
            return context.Response.WriteAsync("""{"error":{"message":"slow down"}}""");
        };

        var answer = await service.CallAsync("POST", "/llm/v1/chat/completions", Question);

        Assert.Equal((429, "application/json; charset=utf-8"), (answer.Status, answer.ContentType));
        Assert.Equal("""{"error":{"message":"slow down"}}""", answer.Text);
        Assert.Equal("10", answer.Headers["x-ratelimit-limit-requests"]);
        Assert.False(answer.Headers.ContainsKey("set-cookie"));
        Assert.Equal([("POST /v1/chat/completions", "Bearer " + Key, Question)], _asked);
    }

    [Fact]
    public async Task The_synchronous_call_needs_a_full_token_and_a_provider_that_answers()
    {
        await using var service = NewService(_provider.Url, new() { ReadOnlyTokens = ["looker"] });
        await using var without = new TestService();
        await using var dead = NewService("http://127.0.0.1:1");

        Assert.Equal(403, (await service.CallAsync("POST", "/llm/v1/chat/completions", Question, "looker")).Status);
        Assert.Equal(501, (await without.CallAsync("POST", "/llm/v1/chat/completions", Question)).Status);
        var answer = await dead.CallAsync("POST", "/llm/v1/chat/completions", Question);
        Assert.Equal(502, answer.Status);
        Assert.Contains("gave no answer", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_event_of_a_stream_is_passed_on_before_the_next_one_is_there()
    {
        await using var service = NewService();
        await using var host = await StandIn.StartAsync(service.Get<FuncStash.Http.Api>().HandleAsync);
        var next = new SemaphoreSlim(0);
        _answer = async context =>
        {
            context.Response.ContentType = "text/event-stream";
            foreach (var text in new[] { "data: {\"n\":1}\n\n", "data: {\"n\":2}\n\n", "data: [DONE]\n\n" })
            {
                await context.Response.WriteAsync(text);
                await context.Response.Body.FlushAsync();
                await next.WaitAsync(context.RequestAborted);
            }
        };
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, host.Url + "/llm/v1/chat/completions") { Content = new StringContent(Question) };
        request.Headers.Authorization = new("Bearer", service.Options.Tokens[0]);

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        foreach (var expected in new[] { "data: {\"n\":1}", "data: {\"n\":2}", "data: [DONE]" })
        {
            Assert.Equal(expected, await reader.ReadLineAsync());
            Assert.Equal("", await reader.ReadLineAsync());
            next.Release();
        }
        Assert.Null(await reader.ReadLineAsync());
    }

    private TestService NewService(string? url = null, FuncStashOptions? options = null) =>
        new((options ?? new()) with { LlmBaseUrl = url ?? _provider.Url, LlmApiKey = Key });
}
