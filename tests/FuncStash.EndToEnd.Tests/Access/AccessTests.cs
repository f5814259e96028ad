using System.Net;

namespace FuncStash.EndToEnd.Tests.Access;

/// <summary>Who may call (protocol#authentication).</summary>
public abstract class AccessTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    public static TheoryData<string, string> Routes => new()
    {
        { "POST", "/v2/publish/http://127.0.0.1:9/x" },
        { "GET", "/v2/messages/msg_x" },
        { "DELETE", "/v2/messages/msg_x" },
        { "GET", "/v2/events" },
        { "GET", "/v2/dlq" },
        { "DELETE", "/v2/dlq/1-0" },
        { "GET", "/v2/keys" },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_missing_or_wrong_token_is_401_everywhere(string method, string target)
    {
        foreach (var authorization in new[] { null, "Bearer wrong", "Bearer ", "Basic " + Host.Credentials.Token, "wrong" })
        {
            var answer = await Wire.SendAsync(
                new HttpMethod(method), target, token: "",
                headers: authorization is null ? [] : [("Authorization", authorization)]);

            Assert.True(answer.Status == HttpStatusCode.Unauthorized, $"{authorization}: {answer}");
            Assert.NotEmpty(answer.Error);
            Assert.DoesNotContain(Host.Credentials.Token, answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_refused_publish_is_not_delivered()
    {
        var refused = await Wire.SendAsync(HttpMethod.Post, "/v2/publish/" + Receiver.Url("/hook"), [], token: "wrong");
        var accepted = await Wire.PublishAsync(Receiver.Url("/hook"));
        await Wire.StatesUntilAsync(accepted, "DELIVERED");

        Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
        Assert.Equal(accepted, Assert.Single(Receiver.All).MessageId);
    }

    [Fact]
    public async Task The_SDK_reports_a_wrong_token_as_401()
    {
        var wrong = Host.Credentials with { Token = "d3Jvbmc=" };
        var error = await Assert.ThrowsAsync<SdkException>(() =>
            Sdk.CallAsync(Host, "publish", new { url = Receiver.Url("/hook"), body = "x" }, credentials: wrong));

        Assert.Equal(401, error.Status);
        Assert.Contains("\"error\"", error.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_may_stand_in_the_query_of_any_call()
    {
        var token = Uri.EscapeDataString(Host.Credentials.Token);

        var right = await Wire.SendAsync(HttpMethod.Get, "/v2/keys?qstash_token=" + token, token: "");
        var wrong = await Wire.SendAsync(HttpMethod.Get, "/v2/keys?qstash_token=wrong", token: "");

        Assert.Equal(HttpStatusCode.OK, right.Status);
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.Status);
    }

    [Fact]
    public async Task The_signing_keys_are_told()
    {
        var keys = (await Wire.GetAsync("/v2/keys")).Json;

        Assert.Equal(Host.Credentials.CurrentSigningKey, (string?)keys["current"]);
        Assert.Equal(Host.Credentials.NextSigningKey, (string?)keys["next"]);
    }
}

public sealed class AccessOnSqlite(SqliteHost hosts, NodeSdk sdk) : AccessTests(hosts, sdk);

public sealed class AccessOnFunctions(FunctionsHost hosts, NodeSdk sdk) : AccessTests(hosts, sdk);
