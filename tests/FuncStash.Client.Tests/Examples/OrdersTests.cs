using System.Net;
using System.Text;
using FuncStash.Client.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Client.Tests.Examples;

/// <summary>An app as a stranger writes it, with the embedded server before it: what the server signed is handled, all else is not.</summary>
public sealed class OrdersTests(EmbeddedServer server)
{
    [Fact]
    public async Task What_was_ordered_is_shipped()
    {
        await using var shop = await Shop.StartAsync(server);

        await shop.ShippedAsync(1, "chair", await shop.OrderAsync(1, "chair"));
    }

    [Fact]
    public async Task What_the_server_did_not_sign_for_this_request_is_refused()
    {
        await using var shop = await Shop.StartAsync(server);
        var url = shop.Url + "/ship";
        const string Order = """{"id":43,"item":"throne"}""";
        var past = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddHours(-1));
        var (real, elsewhere) = await SignedByServerAsync(Order);

        await RefusedAsync(shop, Request(url, "no token", Order), "it is not a JSON Web Token signed with HS256");
        await RefusedAsync(shop, Request(url, new TestSigner("sig_0000000000000000000000000000").Sign(url, Encoding.UTF8.GetBytes(Order)), Order), "it was not made with the current or next signing key");
        await RefusedAsync(shop, Request(url, Signer().Sign(url, "{}"u8), Order), "body: it was made for another body");
        await RefusedAsync(shop, Request(url, Signer(past).Sign(url, Encoding.UTF8.GetBytes(Order)), Order), "exp: it has expired");
        await RefusedAsync(shop, Request(url, Signer().Sign(url + "?a=1", Encoding.UTF8.GetBytes(Order)), Order), "sub: it was made for another URL");
        // What the server itself signed, for another endpoint.
        await RefusedAsync(shop, Request(url, real, Order), "sub: it was made for another URL");
        Assert.True(new SignatureVerifier(EmbeddedServer.CurrentKey).Verify(real, Encoding.UTF8.GetBytes(Order), elsewhere).IsValid);
        Assert.DoesNotContain("throne", shop.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_request_a_second_time_is_refused()
    {
        await using var shop = await Shop.StartAsync(server);
        const string Order = """{"id":44,"item":"lamp"}""";
        var token = Signer().Sign(shop.Url + "/ship", Encoding.UTF8.GetBytes(Order));

        Assert.Equal(HttpStatusCode.OK, (await shop.SendAsync(Request(shop.Url + "/ship", token, Order))).StatusCode);
        await RefusedAsync(shop, Request(shop.Url + "/ship", token, Order), "jti: it was used before");
    }

    private async Task<(string Signature, string Url)> SignedByServerAsync(string body)
    {
        await using var elsewhere = await Receiver.StartAsync();
        await server.NewClient().PublishAsync(elsewhere.BaseUrl, body);
        return ((await elsewhere.FirstAsync()).Header("upstash-signature")!, elsewhere.BaseUrl);
    }

    private static TestSigner Signer(TimeProvider? time = null) => new(EmbeddedServer.CurrentKey, time);

    private static HttpRequestMessage Request(string url, string signature, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Upstash-Signature", signature);
        request.Headers.Add("Upstash-Message-Id", "msg_1");
        return request;
    }

    private static async Task RefusedAsync(Shop shop, HttpRequestMessage request, string reason)
    {
        var response = await shop.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal($$"""{"error":"invalid signature: {{reason}}"}""", await response.Content.ReadAsStringAsync());
    }
}
