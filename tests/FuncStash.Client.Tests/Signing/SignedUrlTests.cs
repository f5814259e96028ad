namespace FuncStash.Client.Tests.Signing;

/// <summary>When the URL a signature was made for is the one that was called.</summary>
public sealed class SignedUrlTests
{
    public static TheoryData<string, string> Same => new()
    {
        { "https://example.com", "https://example.com/" },
        { "https://example.com?a=1", "https://example.com/?a=1" },
        { "HTTPS://Example.COM/Hook", "https://example.com/Hook" },
        { "https://example.com:443/hook", "https://example.com/hook" },
        { "http://example.com/hook", "http://example.com:80/hook" },
        { "https://example.com/hook#top", "https://example.com/hook" },
        { "https://user:secret@example.com/hook", "https://example.com/hook" },
        { "https://example.com/%7euser/%c3%bc", "https://example.com/~user/%C3%BC" },
        { "https://example.com/größe?n=ü", "https://example.com/gr%C3%B6%C3%9Fe?n=%C3%BC" },
        { "https://bücher.example/", "https://xn--bcher-kva.example/" },
        { "https://example.com/a/../b", "https://example.com/b" },
        { "https://example.com/a b", "https://example.com/a%20b" },
    };

    public static TheoryData<string, string> Different => new()
    {
        { "https://example.com/hook", "http://example.com/hook" },
        { "https://example.com/hook", "https://example.com:8443/hook" },
        { "https://example.com/hook", "https://example.org/hook" },
        { "https://example.com/hook", "https://example.com/Hook" },
        { "https://example.com/hook", "https://example.com/hook/" },
        { "https://example.com/hook", "https://example.com/hook?a=1" },
        { "https://example.com/hook?a=1", "https://example.com/hook" },
        { "https://example.com/hook?a=1&b=2", "https://example.com/hook?b=2&a=1" },
        { "https://example.com/a%2Fb", "https://example.com/a/b" },
        { "https://example.com/a?b", "https://example.com/a%3Fb" },
        { "https://example.com.evil.example/", "https://example.com/" },
        { "https://example.com/", "https://example.com@evil.example/" },
        { "/hook", "https://example.com/hook" },
        { "no url", "https://example.com/hook" },
    };

    [Theory]
    [MemberData(nameof(Same))]
    public void It_may_be_written_in_another_way(string made, string called) => Assert.True(SignedUrl.IsSame(made, called));

    [Theory]
    [MemberData(nameof(Different))]
    public void It_may_not_mean_another(string made, string called) => Assert.False(SignedUrl.IsSame(made, called));
}
