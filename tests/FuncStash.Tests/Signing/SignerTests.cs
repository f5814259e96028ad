using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using FuncStash.Signing;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FuncStash.Tests.Signing;

public sealed class SignerTests
{
    private const string Key = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r";
    private const string Url = "https://api.example.com/hook?x=1&y=<\u00FC>";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, 900, TimeSpan.Zero));

    private static string Decoded(string part) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(part));

    [Fact]
    public void The_token_has_exactly_the_documented_header_and_claims()
    {
        var parts = new Signer(_time).Sign(Key, Url, "{\"n\":1}"u8).Split('.');

        Assert.Equal(3, parts.Length);
        Assert.Equal("""{"alg":"HS256","typ":"JWT"}""", Decoded(parts[0]));
        using var claims = JsonDocument.Parse(Decoded(parts[1]));
        var root = claims.RootElement;
        Assert.Equal(
            ["iss", "sub", "exp", "nbf", "iat", "jti", "body"], root.EnumerateObject().Select(claim => claim.Name));
        Assert.Equal("Upstash", root.GetProperty("iss").GetString());
        Assert.Equal(Url, root.GetProperty("sub").GetString());
        Assert.Equal(1767225600, root.GetProperty("iat").GetInt64());
        Assert.Equal(1767225900, root.GetProperty("exp").GetInt64());
        Assert.Equal(0, root.GetProperty("nbf").GetInt64());
        Assert.Matches("^jwt_[0-9a-zA-Z]{16,}$", root.GetProperty("jti").GetString());
        Assert.Equal(
            Convert.ToBase64String(SHA256.HashData("{\"n\":1}"u8)).Replace('+', '-').Replace('/', '_'),
            root.GetProperty("body").GetString());
    }

    [Fact]
    public void An_empty_body_has_the_hash_of_nothing()
    {
        using var claims = JsonDocument.Parse(Decoded(new Signer(_time).Sign(Key, Url, []).Split('.')[1]));
        Assert.Equal("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=", claims.RootElement.GetProperty("body").GetString());
    }

    [Fact]
    public void The_mac_is_that_of_the_keys_text() =>
        Gen.Select(Gen.String[Gen.Char["abc/?&=\"\\\u00FC\u4E2D"], 0, 30], Gen.Byte.Array).Sample((path, body) =>
        {
            var url = "https://example.com/" + path;
            var key = Signer.NewKey();
            var token = new Signer(_time).Sign(key, url, body);
            var dot = token.LastIndexOf('.');
            var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(token[..dot]));

            Assert.Equal(Base64Url.EncodeToString(mac), token[(dot + 1)..]);
            using var claims = JsonDocument.Parse(Decoded(token.Split('.')[1]));
            Assert.Equal(url, claims.RootElement.GetProperty("sub").GetString());
        }, iter: 300);

    [Fact]
    public async Task A_receiver_accepts_the_token_with_the_key_and_with_no_other()
    {
        var token = new Signer(_time).Sign(Key, Url, []);

        Assert.True(await IsValidAsync(token, Key));
        Assert.False(await IsValidAsync(token, Signer.NewKey()));
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(await IsValidAsync(token, Key));
    }

    [Fact]
    public void Every_token_has_an_id_of_its_own()
    {
        var signer = new Signer(_time);
        var tokens = Enumerable.Range(0, 1000).Select(_ => signer.Sign(Key, Url, [])).ToHashSet();
        Assert.Equal(1000, tokens.Count);
    }

    [Fact]
    public void A_signer_keeps_keys_apart_under_concurrency()
    {
        var signer = new Signer(_time);
        var keys = Enumerable.Range(0, 8).Select(_ => Signer.NewKey()).ToArray();
        Parallel.For(0, 400, i =>
        {
            var key = keys[i % keys.Length];
            var token = signer.Sign(key, Url, []);
            var dot = token.LastIndexOf('.');
            var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(token[..dot]));
            Assert.Equal(Base64Url.EncodeToString(mac), token[(dot + 1)..]);
        });
    }

    [Fact]
    public void A_short_key_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => new Signer(_time).Sign(Key[..31], Url, []));
        Assert.StartsWith("A signing key has at least 32 bytes, this one 31.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void New_keys_have_the_documented_form_and_differ()
    {
        var keys = Enumerable.Range(0, 100).Select(_ => Signer.NewKey()).ToHashSet();
        Assert.Equal(100, keys.Count);
        Assert.All(keys, key => Assert.Matches("^sig_[A-Za-z0-9]{28}$", key));
    }

    private async Task<bool> IsValidAsync(string token, string key)
    {
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(key)),
            ValidIssuer = "Upstash",
            ValidateAudience = false,
            LifetimeValidator = (from, to, _, _) => from <= _time.GetUtcNow().UtcDateTime && _time.GetUtcNow().UtcDateTime < to,
        });
        return result.IsValid;
    }
}
