using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using FuncStash.AspNetCore;
using FuncStash.Client.Testing;
using FuncStash.Client.Tests.Recorded;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Client.Tests.AspNetCore;

/// <summary>Endpoints of an app that only the service can call.</summary>
public sealed class RequireSignatureTests : IAsyncLifetime
{
    private static readonly string s_current = EmbeddedServer.CurrentKey, s_next = EmbeddedServer.NextKey;

    private readonly HttpClient _http = new(new SocketsHttpHandler());
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly ConcurrentQueue<string> _handled = new(), _log = new();
    private WebApplication _app = null!;
    private string _url = "";

    private TestSigner Signer => new(s_current, _time);

    public async ValueTask InitializeAsync()
    {
        var builder = WebApps.New();
        builder.Logging.AddProvider(new LineLog(_log));
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, CallJson.Default));
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?> { ["QSTASH_CURRENT_SIGNING_KEY"] = s_current, ["QSTASH_NEXT_SIGNING_KEY"] = s_next });
        builder.Services.AddControllers().AddApplicationPart(typeof(HooksController).Assembly);
        builder.Services.AddSingleton(_handled);
        _app = builder.Build();
        Map(_app);
        _url = await WebApps.StartAsync(_app);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }

    [Theory]
    [InlineData("/order")]
    [InlineData("/stream")]
    [InlineData("/pipe")]
    [InlineData("/context")]
    [InlineData("/group/order")]
    [InlineData("/controller/order")]
    [InlineData("/order?source=shop&n=%C3%BC")]
    public async Task What_the_service_signed_is_handled_and_its_body_read(string path)
    {
        var response = await SendAsync(path, Order(), Signer);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["chair"], _handled);
    }

    [Fact]
    public async Task So_is_what_the_next_key_signed() => Assert.Equal(HttpStatusCode.OK, (await SendAsync("/order", Order(), new TestSigner(s_next, _time))).StatusCode);

    [Theory]
    [InlineData("/order")]
    [InlineData("/group/order")]
    [InlineData("/controller/order")]
    public async Task A_request_without_a_signature_is_refused(string path)
    {
        await RefusedAsync(await _http.PostAsJsonAsync(_url + path, new { id = 1, name = "chair" }), "there is no Upstash-Signature header");

        Assert.Contains(_log, line => line.Contains("Missing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_signature_by_another_key_is_refused_and_the_log_tells_nothing_of_what_a_stranger_wrote()
    {
        await RefusedAsync(await SendAsync("/order", Order(), new TestSigner("sig_0000000000000000000000000000", _time)), "it was not made with the current or next signing key");

        Assert.Contains(_log, line => line.Contains("signed (not known)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_body_that_was_replaced_is_refused()
    {
        var request = Signer.NewRequest(_url + "/order", Order());
        request.Content = new StringContent("""{"id":43,"name":"throne"}""", Encoding.UTF8, "application/json");

        await RefusedAsync(await _http.SendAsync(request), "body: it was made for another body");
    }

    [Fact]
    public async Task An_expired_one_is_refused()
    {
        var request = Signer.NewRequest(_url + "/order", Order());
        _time.Advance(TimeSpan.FromSeconds(300));

        await RefusedAsync(await _http.SendAsync(request), "exp: it has expired");
    }

    [Fact]
    public async Task A_request_for_one_endpoint_sent_to_another_is_refused_and_the_log_helps_to_find_a_wrong_setting()
    {
        var request = Signer.NewRequest(_url + "/stream?secret=s3cret", Order());
        request.RequestUri = new Uri(_url + "/order?secret=s3cret");

        await RefusedAsync(await _http.SendAsync(request), "sub: it was made for another URL");

        Assert.Contains(_log, line => line.Contains($"Called was {_url}/order, signed {_url}/stream", StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret", Assert.Single(_log, line => line.StartsWith("Refused", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Behind_a_proxy_the_public_url_counts()
    {
        await RefusedAsync(await SendAsync("/proxied", Order(), Signer), "sub: it was made for another URL");

        var request = Signer.NewRequest("https://api.example.com/prefix/proxied?a=1", Order());
        request.RequestUri = new Uri(_url + "/proxied?a=1");
        Assert.Equal(HttpStatusCode.OK, (await _http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task An_endpoint_may_leave_the_url_unlooked_at()
    {
        var request = Signer.NewRequest("https://elsewhere.example.com", Order());
        request.RequestUri = new Uri(_url + "/anywhere");

        Assert.Equal(HttpStatusCode.OK, (await _http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task What_a_middleware_made_of_the_path_does_not_count() => Assert.Equal(HttpStatusCode.OK, (await SendAsync("/rewritten", Order(), Signer)).StatusCode);

    [Theory]
    [InlineData(16, HttpStatusCode.OK)]
    [InlineData(17, HttpStatusCode.RequestEntityTooLarge)]
    public async Task A_body_has_a_limit_in_bytes(int length, HttpStatusCode expected)
    {
        foreach (var chunked in (bool[])[false, true])
        {
            var request = Signer.NewRequest(_url + "/small", MessageBody.FromBytes(new byte[length]));
            request.Headers.TransferEncodingChunked = chunked;
            var response = await _http.SendAsync(request);

            Assert.Equal(expected, response.StatusCode);
            if (expected != HttpStatusCode.OK)
                Assert.Equal("""{"error":"the body is longer than 16 bytes"}""", await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task What_is_set_for_one_endpoint_holds_for_no_other()
    {
        await SendAsync("/small", MessageBody.FromBytes(new byte[17]), Signer);

        Assert.Equal(HttpStatusCode.OK, (await SendAsync("/bytes", MessageBody.FromBytes(new byte[17]), Signer)).StatusCode);
    }

    [Fact]
    public async Task Its_limit_takes_the_place_of_the_server_s()
    {
        var body = MessageBody.FromBytes(new byte[31 * 1024 * 1024]);

        Assert.Equal(HttpStatusCode.OK, (await SendAsync("/big", body, Signer)).StatusCode);
    }

    [Fact]
    public async Task Of_what_is_not_signed_nothing_is_read()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(_url).Port);
        var stream = socket.GetStream();

        // Its body never comes; the answer does.
        await stream.WriteAsync("POST /order HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"u8.ToArray());
        var answer = await new StreamReader(stream).ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);

        Assert.Equal("HTTP/1.1 401 Unauthorized", answer);
    }

    [Fact]
    public async Task A_request_seen_before_is_refused_where_something_remembers()
    {
        await using var app = WebApps.New(services => services.AddSingleton<IQStashReplayCache, Remembering>()).Build();
        // Asked for twice, it is used once.
        app.MapGroup("/").RequireQStashSignature(options => options.CurrentSigningKey = s_current)
            .MapPost("", () => "ok").RequireQStashSignature(options => options.CurrentSigningKey = s_current);
        var url = await WebApps.StartAsync(app) + "/";
        var token = new TestSigner(s_current).Sign(url, []);

        Assert.Equal(HttpStatusCode.OK, (await _http.SendAsync(WithToken(url, token))).StatusCode);
        var again = await _http.SendAsync(WithToken(url, token));

        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
        Assert.Contains("jti: it was used before", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Controllers_mapped_as_a_whole_are_all_closed()
    {
        var builder = WebApps.New();
        builder.Services.AddControllers().AddApplicationPart(typeof(HooksController).Assembly);
        await using var app = builder.Build();
        app.MapControllers().RequireQStashSignature(options => options.CurrentSigningKey = s_current);
        var url = await WebApps.StartAsync(app) + "/controller/open";

        Assert.Equal(HttpStatusCode.Unauthorized, (await _http.PostAsync(url, null)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _http.SendAsync(new TestSigner(s_current).NewRequest(url))).StatusCode);
    }

    [Fact]
    public async Task Without_keys_nothing_is_let_through()
    {
        await using var app = WebApps.New().Build();
        app.MapPost("/", () => "ok").RequireQStashSignature();
        var url = await WebApps.StartAsync(app) + "/";

        Assert.Equal(HttpStatusCode.InternalServerError, (await _http.SendAsync(new TestSigner("").NewRequest(url))).StatusCode);
    }

    [Fact]
    public async Task The_delivery_is_bound_to_a_parameter()
    {
        var request = Signer.NewRequest(_url + "/delivery", Order(), new()
        {
            Headers = { ["Upstash-Schedule-Id"] = "nightly", ["Upstash-Topic-Name"] = "orders", ["Upstash-Caller-Ip"] = "203.0.113.9" },
        });
        request.Headers.Remove("Upstash-Retried");
        request.Headers.Add("Upstash-Retried", "2");
        await _http.SendAsync(request);

        var id = request.Headers.GetValues("Upstash-Message-Id").Single();
        Assert.Equal([$"{id} 2 nightly orders 203.0.113.9 {_url}/delivery"], _handled);
    }

    private void Map(WebApplication app)
    {
        app.Use((context, next) =>
        {
            if (context.Request.Path == "/rewritten")
                context.Request.Path = "/order";
            return next(context);
        });
        app.UseRouting();
        app.MapPost("/order", (Order order) => _handled.Enqueue(order.Name)).RequireQStashSignature();
        app.MapGroup("/group").RequireQStashSignature().MapPost("/order", (Order order) => _handled.Enqueue(order.Name));
        app.MapPost("/proxied", (Order order) => _handled.Enqueue(order.Name))
            .RequireQStashSignature(options => options.PublicBaseUrl = new Uri("https://api.example.com/prefix/"));
        app.MapPost("/anywhere", (Order order) => _handled.Enqueue(order.Name)).RequireQStashSignature(options => options.CheckUrl = false);
        app.MapPost("/bytes", () => "ok").RequireQStashSignature();
        app.MapPost("/small", () => "ok").RequireQStashSignature(options => options.MaxBodyBytes = 16);
        app.MapPost("/big", () => "ok").RequireQStashSignature(options => options.MaxBodyBytes = 32 * 1024 * 1024);
        app.MapPost("/stream", async (Stream body) => await KeepAsync(body)).RequireQStashSignature();
        app.MapPost("/pipe", async (PipeReader body) => await KeepAsync(body.AsStream())).RequireQStashSignature();
        app.MapPost("/context", async (HttpContext context) => await KeepAsync(context.Request.Body)).RequireQStashSignature();
        app.MapPost("/delivery", (QStashDelivery d) =>
            _handled.Enqueue($"{d.MessageId} {d.Retried} {d.ScheduleId} {d.UrlGroup} {d.CallerIp} {d.Signature!.Url}")).RequireQStashSignature();
        app.MapControllers();
    }

    private async Task KeepAsync(Stream body) =>
        _handled.Enqueue((await System.Text.Json.JsonSerializer.DeserializeAsync(body, CallJson.Default.Order))!.Name);

    private static MessageBody Order() => MessageBody.FromJson(new Order(42, "chair"), CallJson.Default.Order);

    private Task<HttpResponseMessage> SendAsync(string path, MessageBody body, TestSigner signer) => _http.SendAsync(signer.NewRequest(_url + path, body));

    private static HttpRequestMessage WithToken(string url, string token)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, url);
        request.Headers.Add("Upstash-Signature", token);
        return request;
    }

    private async Task RefusedAsync(HttpResponseMessage response, string reason)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal($$"""{"error":"invalid signature: {{reason}}"}""", await response.Content.ReadAsStringAsync());
        Assert.NotEmpty(response.Headers.WwwAuthenticate);
        Assert.Empty(_handled);
    }

    private sealed class Remembering : IQStashReplayCache
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<string, DateTimeOffset> _seen = new();

        public ValueTask<bool> TryUseAsync(string tokenId, DateTimeOffset expiresAt, CancellationToken cancellationToken) => new(_seen.TryAdd(tokenId, expiresAt));
    }
}
