using System.Globalization;
using System.Text;
using CsCheck;
using FuncStash.Publishing;
using FuncStash.Wire;

namespace FuncStash.Tests.Publishing;

public sealed class DestinationTests
{
    private const string NoScheme = "invalid destination url: endpoint has invalid scheme, add http:// or https://";

    [Theory]
    [InlineData("http://example.com")]
    [InlineData("https://example.com/123/?asdasd=ooo")]
    [InlineData("HTTPS://Example.COM/A")]
    [InlineData("http://localhost:3000/api")]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("http://[::1]:80/x")]
    [InlineData("https://example.com/@user?mail=a@b.example#part")]
    [InlineData("https://b\u00FCcher.example/\u00FC?q=\u4E2D")]
    [InlineData("https://under_score.example")]
    [InlineData("https://example.com/a,b;c|d{e}")]
    public void A_url_is_kept_as_given(string text)
    {
        Assert.True(Destination.TryParse(text, out var value, out var error));
        Assert.Equal(new Destination.Url(text), value);
        Assert.Empty(error);
        Assert.True(HttpUrl.IsValid(text, out _));
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("tpc_4XsX3z")]
    [InlineData("a.b-c_D9")]
    [InlineData("http")]
    public void A_plain_name_is_a_url_group(string text)
    {
        Assert.True(Destination.TryParse(text, out var value, out _));
        Assert.Equal(new Destination.Group(text), value);
    }

    [Fact]
    public void The_built_in_llm_has_one_spelling()
    {
        Assert.True(Destination.TryParse("api/llm", out var value, out _));
        Assert.IsType<Destination.Llm>(value);
        Assert.False(Destination.TryParse("api/openai", out _, out _));
    }

    [Theory]
    [InlineData("ftp://example.com", NoScheme)]
    [InlineData("example.com/hook", NoScheme)]
    [InlineData("localhost:3000", NoScheme)]
    [InlineData("https:/example.com", NoScheme)]
    [InlineData("//example.com", NoScheme)]
    [InlineData(" https://example.com", NoScheme)]
    [InlineData("", "a non-empty destination must be provided")]
    [InlineData("..", "invalid destination: a URL group's name is 1 to 256 letters, digits, dots, hyphens and underscores, not . or ..")]
    [InlineData("two words", "invalid destination: a URL group's name is 1 to 256 letters, digits, dots, hyphens and underscores, not . or ..")]
    [InlineData("https://", "invalid destination url: it has no valid host or port")]
    [InlineData("https:///path", "invalid destination url: it has no valid host or port")]
    [InlineData("https://?x=1", "invalid destination url: it has no valid host or port")]
    [InlineData("https://a..example", "invalid destination url: it has no valid host or port")]
    [InlineData("https://\u4E2Da-", "invalid destination url: it has no valid host or port")]
    [InlineData("https://-a.example", "invalid destination url: it has no valid host or port")]
    [InlineData("https://a,b", "invalid destination url: it has no valid host or port")]
    [InlineData("https://a%20b.example", "invalid destination url: it has no valid host or port")]
    [InlineData("https://example.com:0", "invalid destination url: it has no valid host or port")]
    [InlineData("https://example.com:99999", "invalid destination url: it has no valid host or port")]
    [InlineData("https://[::1", "invalid destination url: it has no valid host or port")]
    [InlineData("http://127\u30020\u30020\u30021", "invalid destination url: it has no valid host or port")]
    [InlineData("http://\uFF11\uFF12\uFF17.0.0.1", "invalid destination url: its host contains the character U+FF11: write it in plain, composed letters or as xn--\u2026")]
    [InlineData("http://127\uFF0E0.0.1", "invalid destination url: its host contains the character U+FF0E: write it in plain, composed letters or as xn--\u2026")]
    [InlineData("http://bu\u0308cher.example", "invalid destination url: its host contains the character U+0308: write it in plain, composed letters or as xn--\u2026")]
    [InlineData("http://\uFB01.example", "invalid destination url: its host contains the character U+FB01: write it in plain, composed letters or as xn--\u2026")]
    [InlineData("https://user:pass@example.com", "invalid destination url: it contains credentials, forward an Authorization header instead")]
    [InlineData("https://@example.com", "invalid destination url: it contains credentials, forward an Authorization header instead")]
    [InlineData("https://example.com/a%00b", "invalid destination url: its path contains %00")]
    [InlineData("https://example.com/%00?x=1", "invalid destination url: its path contains %00")]
    [InlineData("https://example.com/a b", "invalid destination url: it contains the character U+0020, which has to be percent-encoded")]
    [InlineData("https://example.com/\n", "invalid destination url: it contains the character U+000A, which has to be percent-encoded")]
    [InlineData("https://example.com\\@evil.example", "invalid destination url: it contains the character U+005C, which has to be percent-encoded")]
    [InlineData("https://example.com/\u00A0", "invalid destination url: it contains the character U+00A0, which has to be percent-encoded")]
    [InlineData("https://example.com/\u202E", "invalid destination url: it contains the character U+202E, which has to be percent-encoded")]
    public void Everything_else_is_refused_with_a_reason(string text, string expected)
    {
        Assert.False(Destination.TryParse(text, out var value, out var error));
        Assert.Null(value);
        Assert.Equal(expected, error);
    }

    [Theory]
    [InlineData("b\u00FCcher")]
    [InlineData("B\u00DCCHER")]
    [InlineData("stra\u00DFe")]
    [InlineData("col\u00B7lecci\u00F3")]
    [InlineData("\u4E2D\u6587")]
    [InlineData("\u0939\u093F\u0928\u094D\u0926\u0940")]
    [InlineData("\u0627\u0644\u0639\u0631\u0628\u064A\u0629")]
    [InlineData("\uD55C\uAD6D")]
    [InlineData("i\u2764")]
    [InlineData("\uD83D\uDE00")]
    public void A_host_is_written_in_any_script(string name) => Assert.True(HttpUrl.IsValid($"https://{name}.example/u\u0308?\uFF11", out _));

    [Fact]
    public void No_host_has_a_character_that_others_stand_for()
    {
        var changed = Enumerable.Range(0x80, 0x10FFFF - 0x7F).Where(Rune.IsValid).Select(code => new Rune(code))
            .Where(rune => Rune.GetUnicodeCategory(rune) is not UnicodeCategory.OtherNotAssigned)
            .Where(rune => !rune.ToString().IsNormalized(NormalizationForm.FormKC)).ToList();

        Assert.InRange(changed.Count, 4_000, 10_000);
        Assert.All(changed, rune => Assert.False(HttpUrl.IsValid($"https://a{rune}.example/", out _), $"U+{rune.Value:X4}"));
    }

    [Fact]
    public void A_lone_surrogate_and_an_endless_url_are_refused()
    {
        Assert.False(HttpUrl.IsValid("https://example.com/\uD800", out _));
        Assert.True(HttpUrl.IsValid("https://example.com/".PadRight(HttpUrl.MaxLength, 'a'), out _));
        Assert.False(HttpUrl.IsValid("https://example.com/".PadRight(HttpUrl.MaxLength + 1, 'a'), out var error));
        Assert.Equal("it is longer than 16000 characters", error);
    }

    [Fact]
    public void Garbage_never_throws_and_what_is_accepted_can_be_called() =>
        Gen.OneOf(
            Gen.String,
            Gen.String.Select(text => "https://" + text),
            Gen.String.Select(text => "https://example.com/" + text),
            Gen.String[Gen.Char["htps:/@?#[]%.-ax1\u00FC\u4E2D\\ \uFF11"], 0, 30].Select(text => "http://" + text))
            .Sample(text =>
            {
                if (!Destination.TryParse(text, out var value, out var error))
                {
                    Assert.NotEmpty(error);
                    return;
                }

                if (value is not Destination.Url url)
                    return;
                var uri = new Uri(url.Text);
                using var request = new HttpRequestMessage(HttpMethod.Post, uri);
                Assert.NotEmpty(uri.IdnHost);
                Assert.Empty(uri.UserInfo);
                Assert.True(uri.AbsoluteUri.All(char.IsAscii) || uri.HostNameType == UriHostNameType.Dns);
            }, iter: 5000);
}
