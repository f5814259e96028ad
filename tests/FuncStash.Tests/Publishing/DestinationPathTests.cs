using CsCheck;
using FuncStash.Wire;

namespace FuncStash.Tests.Publishing;

public sealed class DestinationPathTests
{
    [Theory]
    [InlineData("https://oz.requestcatcher.com/?foo=bar")]
    [InlineData("https://example.com/123/?asdasd=ooo")]
    [InlineData("https://api.example.com/a/b?x=1&y=2")]
    [InlineData("http://example.com")]
    [InlineData("HTTPS://Example.COM/Path")]
    [InlineData("https://example.com/?")]
    [InlineData("https://example.com/?&a=1&&a=2&")]
    [InlineData("https://example.com/a%20b%2Fc?q=%3F+%26&next=https://x.example/?y=1")]
    [InlineData("https://example.com//double//slash/./and/../dots")]
    [InlineData("orders")]
    [InlineData("api/llm")]
    [InlineData("")]
    public void Keeps_a_destination_byte_for_byte(string tail)
    {
        var (destination, settings) = DestinationPath.Split(tail);

        Assert.Equal(tail, destination);
        Assert.Empty(settings);
    }

    [Theory]
    [InlineData("https:/example.com/x?a=1", "https://example.com/x?a=1")]
    [InlineData("http:/example.com", "http://example.com")]
    [InlineData("https%3A%2F%2Fexample.com%2Fa%3Fx%3D1%26y%3D2", "https://example.com/a?x=1&y=2")]
    [InlineData("https%3a%2f%2fexample.com%2fa%2520b", "https://example.com/a%20b")]
    [InlineData("https%253A%252F%252Fexample.com%252Fa", "https://example.com/a")]
    [InlineData("https%3A%2Fexample.com", "https://example.com")]
    [InlineData("https%3A%2F%2Fexample.com%2Fa?x=1", "https://example.com/a?x=1")]
    [InlineData("https%3A%2F%2Fexample.com%2Fa%3Fx%3D1?y=2", "https://example.com/a?x=1&y=2")]
    [InlineData("https%25253A%25252F%25252Fexample.com", "https%25253A%25252F%25252Fexample.com")]
    [InlineData("https:///example.com", "https:///example.com")]
    [InlineData("https:/", "https:/")]
    [InlineData("http://bl%C3%A5b%c3%a6r.example/%C3%A5?x=%C3%A5", "http://blåbær.example/%C3%A5?x=%C3%A5")]
    [InlineData("https:/%E4%BE%8B%E3%81%88:8443", "https://例え:8443")]
    [InlineData("https://a%40b.example/", "https://a%40b.example/")]
    [InlineData("https://a%2Fb.example/", "https://a%2Fb.example/")]
    [InlineData("https://a%E5.example/", "https://a%E5.example/")]
    [InlineData("orders%C3%A5", "orders%C3%A5")]
    [InlineData("ftp%3A%2F%2Fexample.com", "ftp%3A%2F%2Fexample.com")]
    public void Repairs_merged_slashes_and_decodes_encoded_urls(string tail, string expected) =>
        Assert.Equal(expected, DestinationPath.Split(tail).Destination);

    [Fact]
    public void Takes_the_settings_out_of_the_query()
    {
        var (destination, settings) = DestinationPath.Split(
            "https://example.com/h?a=1&upstash-retries=3&qstash_token=abc%3D&Upstash-Forward-X=a+b%2Bc&b=2&upstash-flag");

        Assert.Equal("https://example.com/h?a=1&b=2", destination);
        Assert.Equal(
            [new("upstash-retries", "3"), new("qstash_token", "abc="), new("Upstash-Forward-X", "a b+c"), new("upstash-flag", "")],
            settings);
    }

    [Theory]
    [InlineData("https://example.com/h?qstash_token=t", "https://example.com/h")]
    [InlineData("https://example.com/h?QSTASH_TOKEN=t", "https://example.com/h")]
    [InlineData("https://example.com/h?qstash%5Ftoken=t", "https://example.com/h")]
    [InlineData("https%3A%2F%2Fexample.com%2Fh%3Fa%3D1?qstash_token=t", "https://example.com/h?a=1")]
    [InlineData("orders?qstash_token=t", "orders")]
    [InlineData("orders?qstash_token=t&source=github", "orders")]
    public void The_token_never_reaches_the_destination(string tail, string expected)
    {
        var (destination, settings) = DestinationPath.Split(tail);

        Assert.Equal(expected, destination);
        Assert.Equal("t", Assert.Single(settings).Value);
    }

    [Fact]
    public void A_parameter_inside_an_encoded_destination_is_the_destinations_own()
    {
        var (destination, settings) = DestinationPath.Split("https%3A%2F%2Fexample.com%2F%3Fupstash-retries%3D1");

        Assert.Equal("https://example.com/?upstash-retries=1", destination);
        Assert.Empty(settings);
    }

    private static readonly Gen<string> s_urlPath = Gen.String[
        Gen.Char["abcXYZ019-._~!$'()*,;:@/%&=+"], 0, 20].Select(path => "/" + path);

    private static readonly Gen<string> s_scheme = Gen.OneOf("http://", "https://", "HTTPS://");

    private static readonly Gen<string> s_parameter = Gen.OneOf(
        Gen.String[Gen.Char["abcXYZ019-._~/?:@%+"], 0, 8],
        Gen.String[Gen.Char["abcXYZ019-._~/?:@%+="], 0, 12].Select(value => "key=" + value),
        Gen.OneOf("up=1", "upstash=2", "x-upstash-retries=1", "qstash_tokens=a", "token="));

    private static readonly Gen<(string Key, string Value)> s_setting = Gen.Select(
        Gen.OneOf("qstash_token", "QStash_Token", "upstash-retries", "Upstash-Forward-X", "UPSTASH-DELAY"),
        Gen.String[Gen.Char["ab1 &=+%?/#\u00E9\u4E2D"], 0, 8]);

    [Fact]
    public void Settings_mixed_into_any_query_come_out_and_leave_the_url_as_it_was() =>
        (from scheme in s_scheme
         from path in s_urlPath
         from parts in Gen.Select(Gen.Bool, s_parameter, s_setting).Array[0, 8]
         select (scheme, path, parts))
        .Sample((scheme, path, parts) =>
        {
            var url = scheme + "example.com" + path;
            var mixed = string.Join('&', parts.Select(part => part.Item1
                ? part.Item2
                : $"{part.Item3.Key}={Uri.EscapeDataString(part.Item3.Value).Replace("%20", "+", StringComparison.Ordinal)}"));
            var own = string.Join('&', parts.Where(part => part.Item1).Select(part => part.Item2));
            var expected = parts.Where(part => !part.Item1).Select(part => (part.Item3.Key, HeaderValue.Of(part.Item3.Value))).ToList();

            var (destination, settings) = DestinationPath.Split(parts.Length == 0 ? url : $"{url}?{mixed}");

            Assert.Equal(own.Length > 0 || parts.Length > 0 && expected.Count == 0 ? $"{url}?{own}" : url, destination);
            Assert.Equal(expected, settings.Select(setting => (setting.Key, setting.Value)));
        }, iter: 3000);

    [Fact]
    public void Encoding_a_url_once_or_twice_makes_no_difference() =>
        Gen.Select(s_scheme, s_urlPath, s_parameter, Gen.Int[1, 2]).Sample((scheme, path, parameter, times) =>
        {
            var url = $"{scheme}example.com{path}?{parameter}";
            var encoded = url;
            for (var i = 0; i < times; i++)
                encoded = Uri.EscapeDataString(encoded);
            return DestinationPath.Split(encoded).Destination == url;
        }, iter: 3000);

    [Fact]
    public void Garbage_never_throws() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["htps:/%?&=3AF2+_-"], 0, 60])
            .Sample(tail => { DestinationPath.Split(tail); }, iter: 5000);
}
