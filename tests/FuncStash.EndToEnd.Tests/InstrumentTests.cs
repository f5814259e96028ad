using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FuncStash.EndToEnd.Tests;

/// <summary>The instruments themselves: what they must see, and what they must not let pass.</summary>
public sealed class InstrumentTests(NodeSdk sdk)
{
    private static readonly HttpClient s_http = new(new SocketsHttpHandler { UseProxy = false });

    [Fact]
    public async Task The_receiver_answers_in_turn_and_keeps_what_came()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answers("/a", Answer.Of(500, "no", ("X-Why", "w")), Answer.Of(201));

        var first = await s_http.PostAsync(receiver.Url("/a?x=%20"), new ByteArrayContent([0, 255]));
        var second = await s_http.GetAsync(receiver.Url("/a"));
        var third = await s_http.GetAsync(receiver.Url("/a"));
        var requests = await receiver.WaitForAsync("/a", 3);

        Assert.Equal([500, 201, 201], new[] { first, second, third }.Select(answer => (int)answer.StatusCode));
        Assert.Equal("no", await first.Content.ReadAsStringAsync());
        Assert.Equal("w", first.Headers.GetValues("X-Why").Single());
        Assert.Equal(("POST", "/a?x=%20"), (requests[0].Method, requests[0].Target));
        Assert.Equal([0, 255], requests[0].Body);
        Assert.Equal(receiver.Authority, requests[0].Header("host"));
    }

    [Fact]
    public async Task Waiting_in_vain_fails()
    {
        await using var receiver = await Receiver.StartAsync();

        await Assert.ThrowsAsync<TimeoutException>(
            () => receiver.WaitForAsync("/never", timeout: TimeSpan.FromMilliseconds(50)));
    }

    [Fact]
    public async Task A_hanging_answer_waits_for_its_gate_and_an_aborted_one_never_comes()
    {
        await using var receiver = await Receiver.StartAsync();
        var gate = new TaskCompletionSource();
        receiver.Answers("/hang", Answer.Hang(gate.Task));
        receiver.Answers("/abort", new Answer { Abort = true });

        var hanging = s_http.GetAsync(receiver.Url("/hang"));
        await receiver.OneAsync("/hang");
        Assert.False(hanging.IsCompleted);
        gate.SetResult();
        Assert.True((await hanging).IsSuccessStatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => s_http.GetAsync(receiver.Url("/abort")));
    }

    [Fact]
    public async Task The_SDK_judges_signatures()
    {
        var keys = Credentials.Development;

        Assert.True(await sdk.VerifyAsync(keys, Sign(keys.CurrentSigningKey), "body", "http://a/b"));
        Assert.True(await sdk.VerifyAsync(keys, Sign(keys.NextSigningKey), "body", "http://a/b"));
        var forged = await Assert.ThrowsAsync<SdkException>(
            () => sdk.VerifyAsync(keys, Sign("sig_forged"), "body", "http://a/b"));
        Assert.Equal("SignatureError", forged.Name);
    }

    private static string Sign(string key)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var hash = Base64Url.EncodeToString(SHA256.HashData("body"u8));
        var text = Encode("""{"alg":"HS256","typ":"JWT"}""") + "." + Encode(
            $$"""{"iss":"Upstash","sub":"http://a/b","exp":{{now + 300}},"nbf":0,"iat":{{now}},"jti":"jwt_1","body":"{{hash}}"}""");
        var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(text));
        return text + "." + Base64Url.EncodeToString(mac);
    }

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
