using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Tests.Destinations;
using FuncStash.Wire;

namespace FuncStash.Tests.Delivery;

/// <summary>Redirects are not followed; the error says where they lead (protocol#attempts).</summary>
public sealed class RedirectTests
{
    [Theory]
    [InlineData(308, "/hook/", "308 to https://example.com/hook/: publish to that URL")]
    [InlineData(301, "https://www.example.com/hook?a=1", "301 to https://www.example.com/hook?a=1: publish to that URL")]
    [InlineData(302, "../x?y=%2F", "302 to https://example.com/x?y=%2F: publish to that URL")]
    [InlineData(307, "//other.example/a#part", "307 to https://other.example/a: publish to that URL")]
    [InlineData(307, "?b", "307 to https://example.com/hook?b: publish to that URL")]
    [InlineData(300, "http://example.com:8080", "300 to http://example.com:8080/: publish to that URL")]
    [InlineData(308, "https://user:secret@example.com/hook/", "308 to https://example.com/hook/: publish to that URL")]
    [InlineData(308, "/gr\u00C3\u00B6\u00C3\u009Fe", "308 to https://example.com/gr%C3%B6%C3%9Fe: publish to that URL")]
    [InlineData(308, "/gr\u00F6\u00DFe", "308 to https://example.com/gr%C3%B6%C3%9Fe: publish to that URL")]
    [InlineData(303, "/thanks", "303 to https://example.com/thanks: redirects are not followed")]
    [InlineData(302, "/hook?token=1", "302 to https://example.com/hook?token=1: the URL itself, redirects are not followed")]
    [InlineData(308, "", "destination answered with status 308")]
    [InlineData(308, "javascript:alert(1)", "destination answered with status 308")]
    [InlineData(308, "ftp://example.com/", "destination answered with status 308")]
    [InlineData(308, "https://", "destination answered with status 308")]
    [InlineData(304, null, "destination answered with status 304")]
    [InlineData(201, "/made", null)]
    [InlineData(404, "/hook/", "destination answered with status 404")]
    public void The_error_of_a_redirect_says_where_it_leads(int status, string? location, string? error)
    {
        var url = location == "/hook?token=1" ? "https://example.com/hook?token=1" : "https://example.com/hook";

        Assert.Equal(error, ErrorOf(url, status, location));
    }

    [Fact]
    public void A_place_is_told_without_what_could_harm_a_reader()
    {
        Assert.DoesNotContain(ErrorOf("https://example.com/", 308, "/a\u0001\u001B[2J\u0085b")!, char.IsControl);
        Assert.InRange(ErrorOf("https://example.com/", 308, "/" + new string('a', 100_000))!.Length, 1, 2_100);
        Assert.InRange(ErrorOf("https://example.com/", 308, "/" + new string('\u00F6', 1_900))!.Length, 1, 2_100);
    }

    [Fact]
    public async Task It_is_in_the_log_and_the_dead_letter()
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Answering("HTTP/1.1 308 Permanent Redirect\r\nLocation: /hook/\r\nContent-Length: 0\r\n\r\n");

        var id = await service.AttemptAsync(receiver.Url());

        var error = $"308 to {receiver.Url("/hook/")}: publish to that URL";
        Assert.Equal(error, (string?)Assert.Single(await service.ErrorsAsync(id))["error"]);
        Assert.Equal(308, (int?)(await service.DeadLetterAsync(id))["responseStatus"]);
        Assert.Single(receiver.Requests);
    }

    private static string? ErrorOf(string url, int status, string? location)
    {
        var header = new HeaderMap();
        if (location is not null)
            header.Add("Location", location);
        var verdict = Verdict.Of(
            new Message { Url = url, MaxRetries = 0 }, 0, new AttemptOutcome.Response(status, header, []), DateTimeOffset.UnixEpoch, random: 0);
        return (verdict as Verdict.Failed)?.Error;
    }
}
