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
    [InlineData("http://\uFF11\uFF12\uFF17.0.0.1", "invalid destination url: it has no valid host or port")]
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
