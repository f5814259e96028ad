using CsCheck;
using FuncStash.Wire;

namespace FuncStash.Tests.Publishing;

public sealed class HeaderNameTests
{
    [Theory]
    [InlineData("test-header", "Test-Header")]
    [InlineData("bypass-tunnel-reminder", "Bypass-Tunnel-Reminder")]
    [InlineData("content-type", "Content-Type")]
    [InlineData("CONTENT-TYPE", "Content-Type")]
    [InlineData("Upstash-Workflow-RunId", "Upstash-Workflow-Runid")]
    [InlineData("x--y", "X--Y")]
    [InlineData("-a-", "-A-")]
    [InlineData("a_b.c", "A_b.c")]
    [InlineData("x-1a", "X-1a")]
    [InlineData("two words", "two words")]
    [InlineData("na\u00EFve", "na\u00EFve")]
    [InlineData("", "")]
    public void Canonical_form_is_the_one_of_Go(string name, string expected) =>
        Assert.Equal(expected, HeaderName.Canonical(name));

    [Fact]
    public void A_canonical_name_is_not_copied()
    {
        var name = string.Concat("Content", "-Type");
        Assert.Same(name, HeaderName.Canonical(name));
    }

    [Fact]
    public void Case_is_all_that_the_canonical_form_changes_and_doing_it_twice_changes_nothing() =>
        Gen.String[Gen.OneOf(Gen.Char["aZ-bY!~0 "], Gen.Char), 0, 20].Sample(name =>
        {
            var canonical = HeaderName.Canonical(name);
            Assert.Equal(name, canonical, ignoreCase: true);
            Assert.Same(canonical, HeaderName.Canonical(canonical));
            if (HeaderName.IsValid(name))
                Assert.Equal(canonical, HeaderName.Canonical(name.ToUpperInvariant()));
            else
                Assert.Same(name, canonical);
        }, iter: 3000);

    [Theory]
    [InlineData("X-A!#$%&'*+-.^_`|~9", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a:b", false)]
    [InlineData("a\r\nb", false)]
    [InlineData("a(b", false)]
    [InlineData("\u00E9", false)]
    public void A_name_is_a_token(string name, bool valid) => Assert.Equal(valid, HeaderName.IsValid(name));

    [Fact]
    public void What_is_valid_goes_through_the_http_client() =>
        Gen.Select(Gen.String[Gen.Char["aZ-b!~0 :\u00E9"], 0, 4], Gen.String[Gen.Char["aZ \t~\r\n\0\u00E9\u0080\u00FF"], 0, 4])
            .Sample((name, value) =>
            {
                if (!HeaderName.IsValid(name) || !HeaderValue.IsValid(value))
                    return;
                using var request = new HttpRequestMessage();
                Assert.True(request.Headers.TryAddWithoutValidation(name, value));
                Assert.Equal(value, Assert.Single(request.Headers.NonValidated[name]));
            }, iter: 3000);
}
