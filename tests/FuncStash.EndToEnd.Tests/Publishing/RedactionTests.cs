using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Publishing;

/// <summary>Redacted fields are delivered, and shown nowhere (protocol#redaction).</summary>
public abstract class RedactionTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task A_redacted_body_is_delivered_but_shown_as_its_hash()
    {
        var published = await Sdk.CallAsync(Host, "publish", new
        {
            url = Receiver.Url("/hook"), body = "top secret", delay = 1, redact = new { body = true },
        });
        var id = (string)published!["messageId"]!;

        Assert.Equal(Redacted("top secret"), (string?)(await Wire.MessageAsync(id))["body"]);
        Assert.Equal("top secret", (await Receiver.OneAsync("/hook")).Text);
        await AssertLogHides(id, "top secret");
    }

    [Theory]
    [InlineData("header[X-Secret]")]
    [InlineData("headers[x-secret]")]
    [InlineData("body, header[X-SECRET]")]
    public async Task One_header_is_redacted_and_the_others_stay(string fields)
    {
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook"), "b", ("Upstash-Redact-Fields", fields), ("Upstash-Forward-X-Secret", "hush"),
            ("Upstash-Forward-X-Open", "seen"), ("Upstash-Delay", "1s"));

        var header = (await Wire.MessageAsync(id))["header"]!;
        Assert.Equal(Redacted("hush"), (string?)header["X-Secret"]![0]);
        Assert.Equal("seen", (string?)header["X-Open"]![0]);
        Assert.Equal("hush", (await Receiver.OneAsync("/hook")).Header("x-secret"));
        await AssertLogHides(id, "hush");
    }

    [Theory]
    [InlineData("headers")]
    [InlineData("header")]
    public async Task All_headers_are_redacted(string fields)
    {
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook"), "open", ("Upstash-Redact-Fields", fields), ("Upstash-Forward-A", "one"),
            ("Upstash-Forward-B", "two"), ("Upstash-Delay", "1s"));

        var message = await Wire.MessageAsync(id);
        Assert.Equal(Redacted("one"), (string?)message["header"]!["A"]![0]);
        Assert.Equal(Redacted("two"), (string?)message["header"]!["B"]![0]);
        Assert.Equal("open", (string?)message["body"]);
    }

    [Fact]
    public async Task A_dead_letter_is_redacted_too()
    {
        Receiver.Answers("/hook", Answer.Of(500));
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook"), "top secret", ("Upstash-Redact-Fields", "body"), ("Upstash-Retries", "0"));

        Assert.Equal(Redacted("top secret"), (string?)(await Wire.DeadLetterAsync(id))["body"]);
    }

    private async Task AssertLogHides(string id, string secret)
    {
        var log = new JsonArray([.. (await Wire.EventsUntilAsync(id, "DELIVERED")).Select(entry => entry.DeepClone())])
            .ToJsonString();
        Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
        Assert.DoesNotContain(
            Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)), log, StringComparison.Ordinal);
    }

    private static string Redacted(string value) =>
        "REDACTED:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(value)));
}

public sealed class RedactionOnSqlite(SqliteHost hosts, NodeSdk sdk) : RedactionTests(hosts, sdk);

public sealed class RedactionOnFunctions(FunctionsHost hosts, NodeSdk sdk) : RedactionTests(hosts, sdk);
