using CsCheck;
using FuncStash.Client.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Client.Tests.Signing;

/// <summary>Which signatures are good, and what is wrong with the others.</summary>
public sealed class SignatureVerifierTests
{
    private const string Current = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r", Next = "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs", Url = "https://app.example.com/hook?a=1";
    private static readonly byte[] s_body = "{\"n\":1}"u8.ToArray();

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    private TestSigner Signer => new(Current, _time);

    private SignatureVerifier Verifier => new(Current, Next) { TimeProvider = _time };

    private SignatureClaims Claims => new()
    {
        Issuer = "Upstash", Url = Url, ExpiresAt = _time.GetUtcNow().AddMinutes(5), TokenId = "jwt_1",
        BodyHash = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(s_body)).Replace('+', '-').Replace('/', '_'),
    };

    [Fact]
    public void What_was_signed_is_good()
    {
        var result = Verifier.Verify(Signer.Sign(Url, s_body), s_body, Url);

        Assert.True(result.IsValid);
        Assert.Equal(SignatureProblem.None, result.Problem);
        Assert.Equal("", result.Reason);
        Assert.Equal(Url, result.Claims!.Url);
        Assert.Equal(_time.GetUtcNow().AddMinutes(5), result.Claims.ExpiresAt);
        Assert.False(result.UsesNextKey);
    }

    [Fact]
    public void So_is_what_the_next_key_signed_and_it_is_told()
    {
        var result = Verifier.Verify(new TestSigner(Next, _time).Sign(Url, s_body), s_body, Url);

        Assert.True(result.IsValid);
        Assert.True(result.UsesNextKey);
        Assert.False(new SignatureVerifier(Current) { TimeProvider = _time }.Verify(new TestSigner(Next, _time).Sign(Url, s_body), s_body, Url).IsValid);
    }

    [Fact]
    public void Bytes_that_are_no_text_and_no_bytes_are_signed_too()
    {
        foreach (var body in (byte[][])[[], [255, 0, 254]])
            Assert.True(Verifier.Verify(Signer.Sign(Url, body), body, Url).IsValid);
    }

    [Fact]
    public void A_token_of_the_documentation_s_making_is_good_with_and_without_padding_of_its_hash()
    {
        Assert.True(Verifier.Verify(Signer.Token(Claims), s_body, Url).IsValid);
        Assert.True(Verifier.Verify(Signer.Token(Claims with { BodyHash = Claims.BodyHash!.TrimEnd('=') }), s_body, Url).IsValid);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void None_is_missing(string? signature) => Assert.Equal(SignatureProblem.Missing, Verifier.Verify(signature, s_body, Url).Problem);

    [Theory]
    [InlineData("a")]
    [InlineData("..")]
    [InlineData("a.b.c")]
    [InlineData("e30.e30.e30")]
    [InlineData("e30.e30")]
    [InlineData("bnVsbA.bnVsbA.AA")]
    [InlineData("eyJhbGciOiJub25lIn0.eyJpc3MiOiJVcHN0YXNoIn0.")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.bnVsbA.AA")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOi0xfQ.AA")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjFlMzAwfQ.AA")]
    [InlineData("eyJhbGciOjF9.e30.AA")]
    [InlineData("größe.größe.größe")]
    public void What_is_no_token_of_HS256_is_malformed(string signature)
    {
        var result = Verifier.Verify(signature, s_body, Url);

        Assert.Equal(SignatureProblem.Malformed, result.Problem);
        Assert.Null(result.Claims);
    }

    [Fact]
    public void Another_key_is_wrong_and_what_else_is_wrong_is_told_beside_it()
    {
        var token = new TestSigner("sig_0000000000000000000000000000", _time).Sign(Url, s_body);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal([SignatureProblem.Key, SignatureProblem.Expired], Verifier.Verify(token, s_body, Url).Problems);
    }

    [Fact]
    public void Claims_altered_on_the_way_are_the_wrong_key()
    {
        var parts = Signer.Sign(Url, s_body).Split('.');
        var others = Signer.Sign("https://app.example.com/admin", s_body).Split('.');

        Assert.Equal(SignatureProblem.Key, Verifier.Verify($"{parts[0]}.{others[1]}.{parts[2]}", s_body, "https://app.example.com/admin").Problem);
    }

    [Fact]
    public void Each_claim_has_its_problem()
    {
        Assert.Equal(SignatureProblem.Issuer, Problem(Claims with { Issuer = "Somebody" }));
        Assert.Equal(SignatureProblem.Issuer, Problem(Claims with { Issuer = null }));
        Assert.Equal(SignatureProblem.Url, Problem(Claims with { Url = "https://app.example.com/hook" }));
        Assert.Equal(SignatureProblem.Url, Problem(Claims with { Url = null }));
        Assert.Equal(SignatureProblem.Expired, Problem(Claims with { ExpiresAt = _time.GetUtcNow() }));
        Assert.Equal(SignatureProblem.Expired, Problem(Claims with { ExpiresAt = null }));
        Assert.Equal(SignatureProblem.NotYetValid, Problem(Claims with { NotBefore = _time.GetUtcNow().AddSeconds(1) }));
        Assert.Equal(SignatureProblem.Body, Problem(Claims with { BodyHash = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=" }));
        Assert.Equal(SignatureProblem.Body, Problem(Claims with { BodyHash = null }));
    }

    [Fact]
    public void A_url_is_looked_at_only_when_there_is_one() => Assert.True(Verifier.Verify(Signer.Sign("https://elsewhere.example.com", s_body), s_body, url: null).IsValid);

    [Fact]
    public void Clocks_may_differ_by_as_much_as_is_allowed()
    {
        var patient = new SignatureVerifier(Current) { TimeProvider = _time, ClockSkew = TimeSpan.FromSeconds(10) };
        var early = Signer.Token(Claims with { NotBefore = _time.GetUtcNow().AddSeconds(10) });
        var tooEarly = Signer.Token(Claims with { NotBefore = _time.GetUtcNow().AddSeconds(11) });
        var token = Signer.Sign(Url, s_body);

        Assert.True(patient.Verify(early, s_body, Url).IsValid);
        Assert.Equal(SignatureProblem.NotYetValid, patient.Verify(tooEarly, s_body, Url).Problem);
        _time.Advance(TimeSpan.FromSeconds(309));
        Assert.True(patient.Verify(token, s_body, Url).IsValid);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(SignatureProblem.Expired, patient.Verify(token, s_body, Url).Problem);
    }

    [Fact]
    public void Every_problem_has_words() =>
        Assert.All(Enum.GetValues<SignatureProblem>().Where(p => p != SignatureProblem.None), p => Assert.NotEmpty(SignatureVerification.Describe(p)));

    [Fact]
    public void No_text_upsets_the_verifier() =>
        Gen.Select(Gen.OneOf(Gen.String, Gen.String[Gen.Char["eyJhbGciOiJIUzI1NiJ9.{}\":"], 0, 60]), Gen.String).Sample((token, url) =>
            !Verifier.Verify(token, s_body, url).IsValid);

    [Fact]
    public void No_change_of_one_letter_goes_unseen()
    {
        var token = Signer.Sign(Url, s_body);
        Gen.Select(Gen.Int[0, token.Length - 1], Gen.Char["ABCXYZabcxyz0189-_."]).Sample((at, letter) =>
        {
            var changed = token[..at] + letter + token[(at + 1)..];
            // The last letter of a part has bits that say nothing, so that another letter may be the same bytes.
            return changed == token || at + 1 == token.Length || token[at + 1] == '.' || !Verifier.Verify(changed, s_body, Url).IsValid;
        });
    }

    private SignatureProblem Problem(SignatureClaims claims) => Assert.Single(Verifier.Verify(Signer.Token(claims), s_body, Url).Problems);
}
