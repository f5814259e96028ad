using CsCheck;
using FuncStash.Wire;

namespace FuncStash.Tests.Logs;

public sealed class RedactFieldsTests
{
    private const string HashOfTest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    [Theory]
    [InlineData("body", true, false, "")]
    [InlineData("header", false, true, "")]
    [InlineData("headers", false, true, "")]
    [InlineData("body,header", true, true, "")]
    [InlineData("header[Authorization]", false, false, "Authorization")]
    [InlineData("headers[x-api-key]", false, false, "X-Api-Key")]
    [InlineData(" body , header[x-a] ,headers[X-A], header[ x-b ]", true, false, "X-A X-B")]
    public void Reads_all_five_forms(string text, bool body, bool all, string headers)
    {
        Assert.True(RedactFields.TryParse(text, out var value, out var error), error);
        Assert.Equal((body, all), (value.Body, value.AllHeaders));
        Assert.Equal(headers, string.Join(' ', value.Headers));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("body,", "")]
    [InlineData("Body", "Body")]
    [InlineData("body url", "body url")]
    [InlineData("body,query", "query")]
    [InlineData("header[]", "header[]")]
    [InlineData("header[", "header[")]
    [InlineData("header]", "header]")]
    [InlineData("header[a]b", "header[a]b")]
    [InlineData("header[a b]", "header[a b]")]
    [InlineData("body[x]", "body[x]")]
    public void Names_a_field_it_does_not_know(string text, string field)
    {
        Assert.False(RedactFields.TryParse(text, out var value, out var error));
        Assert.Null(value);
        Assert.Equal($"Upstash-Redact-Fields: '{field}' should be body, header or header[Name]", error);
    }

    [Fact]
    public void A_redacted_value_is_its_hash()
    {
        Assert.Equal("REDACTED:" + HashOfTest, RedactFields.Redacted("test"u8));
        Assert.Equal(
            "REDACTED:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", RedactFields.Redacted([]));
    }

    [Theory]
    [InlineData("body", "X-Key", "test")]
    [InlineData("header", "X-Key", "REDACTED:" + HashOfTest)]
    [InlineData("header[x-key]", "X-KEY", "REDACTED:" + HashOfTest)]
    [InlineData("header[x-key]", "X-Other", "test")]
    public void Hides_the_headers_that_were_named(string text, string name, string expected)
    {
        Assert.True(RedactFields.TryParse(text, out var value, out _));
        Assert.Equal(expected, value.Header(name, "test"));
    }

    [Fact]
    public void Garbage_never_throws_and_is_refused_with_a_reason() =>
        Gen.OneOf(
            Gen.String,
            Gen.OneOf("body", "header", "headers", "[", "]", ",", " ", "X-a").Array[0, 10].Select(string.Concat))
            .Sample(text => RedactFields.TryParse(text, out var value, out var error)
                ? value.Body || value.AllHeaders || value.Headers.Count > 0
                : error.Length > 0, iter: 5000);
}
