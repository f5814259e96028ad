using System.Text;
using System.Text.Json;
using FuncStash.Settings;

namespace FuncStash.Tests.Access;

/// <summary>What is no secret counts as none, and what is one is kept (protocol#authentication, protocol#keys, protocol#development-server).</summary>
public sealed class PublicCredentialsTests
{
    private static readonly FuncStashOptions s_own = new()
    {
        Tokens = ["own"], CurrentSigningKey = new string('a', 32), NextSigningKey = new string('b', 32),
    };

    public static TheoryData<string, string> TestUsers => new()
    {
        { "defaultUser", "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs" },
        { "testUser1", "sig_7GVPjvuwsfqF65iC8fSrs1dfYruM sig_5NoELc3EFnZn4DVS5bDs2Nk4b7Ua" },
        { "testUser2", "sig_6jWGaWRxHsw4vMSPJprXadyvrybF sig_7qHbvhmahe5GwfePDiS5Lg3pi6Qx" },
        { "testUser3", "sig_5T8FcSsynBjn9mMLBsXhpacRovJf sig_7GFR4YaDshFcqsxWRZpRB161jguD" },
    };

    [Theory]
    [MemberData(nameof(TestUsers))]
    public void Token_and_keys_of_every_public_user_are_development_credentials(string user, string keys)
    {
        var password = user == "defaultUser" ? "defaultPassword" : "testPassword";
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { UserID = user, Password = password })));

        Assert.False(DevServer.IsUsedBy(s_own));
        Assert.True(DevServer.IsUsedBy(s_own with { Tokens = ["own", token] }));
        Assert.True(DevServer.IsUsedBy(s_own with { ReadOnlyTokens = [token] }));
        foreach (var key in keys.Split(' '))
        {
            Assert.True(DevServer.IsUsedBy(s_own with { CurrentSigningKey = key }));
            Assert.True(DevServer.IsUsedBy(s_own with { NextSigningKey = key }));
        }
    }

    [Fact]
    public async Task Only_the_default_user_is_let_in_where_nothing_is_configured()
    {
        await using var service = new TestService(FuncStashSettings.Read(_ => null));

        Assert.Equal(200, (await service.CallAsync("GET", "/v2/queues", token: DevServer.Token)).Status);
        Assert.Equal(401, (await service.CallAsync(
            "GET", "/v2/queues", token: "eyJVc2VySUQiOiJ0ZXN0VXNlcjEiLCJQYXNzd29yZCI6InRlc3RQYXNzd29yZCJ9")).Status);
    }

    [Fact]
    public async Task A_token_that_may_only_look_does_not_see_the_signing_keys()
    {
        await using var service = new TestService(s_own with { ReadOnlyTokens = ["looker"] });

        var refused = await service.CallAsync("GET", "/v2/keys", token: "looker");

        Assert.Equal((403, "forbidden: this token is read-only"), (refused.Status, refused.Error));
        Assert.DoesNotContain(s_own.CurrentSigningKey, refused.Text, StringComparison.Ordinal);
        Assert.Equal(s_own.CurrentSigningKey, (string?)(await service.CallAsync("GET", "/v2/keys", token: "own")).Json["current"]);
    }

    [Theory]
    [InlineData("0123456789abcdef")] // 16 characters
    [InlineData("0123456789abcdef0123456789abcde")] // 31
    [InlineData("x")]
    public void A_key_that_could_sign_nothing_is_refused_at_the_start(string key)
    {
        foreach (var name in new[] { "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY" })
        {
            var refusal = Assert.Throws<FormatException>(() => FuncStashSettings.Read(asked => asked == name ? key : null));

            Assert.Equal(
                $"{name}: a signing key has at least 32 bytes, this one {key.Length}: use sig_ and 28 random letters or digits", refusal.Message);
        }
    }

    [Theory]
    [InlineData("0123456789abcdef0123456789abcdef")]
    [InlineData("ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ")] // 16 letters, 32 bytes
    public async Task A_key_of_32_bytes_signs(string key)
    {
        var options = FuncStashSettings.Read(asked => asked == "QSTASH_CURRENT_SIGNING_KEY" ? key : null, allowPrivateNetworks: true);
        await using var destination = await TestDestination.StartAsync();
        await using var service = new TestService(options);

        await service.PublishAsync(destination.Url("/hook"));
        await service.DeliverDueAsync();

        Assert.NotEmpty(Assert.Single(destination.Headers("/hook"))["Upstash-Signature"].ToString());
    }
}
