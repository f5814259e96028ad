using FuncStash.Access;
using FuncStash.Http;

namespace FuncStash.Tests.Access;

public sealed class AccessTests : IAsyncDisposable
{
    private readonly TestService _service = new(new() { Tokens = ["new-token", "old-token"], ReadOnlyTokens = ["looker", "viewer"] });

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Theory]
    [InlineData("new-token", AccessLevel.Full)]
    [InlineData("old-token", AccessLevel.Full)]
    [InlineData("looker", AccessLevel.Read)]
    [InlineData("viewer", AccessLevel.Read)]
    [InlineData("new-toke", AccessLevel.None)]
    [InlineData("new-token ", AccessLevel.None)]
    [InlineData("", AccessLevel.None)]
    [InlineData(null, AccessLevel.None)]
    public void A_token_may_do_what_its_list_says(string? token, AccessLevel level) =>
        Assert.Equal(level, new TokenCheck(_service.Options).LevelOf(token));

    [Fact]
    public async Task A_token_may_stand_in_the_query_and_the_header_wins()
    {
        Assert.Equal(200, (await _service.CallAsync("GET", "/v2/keys?qstash_token=old-token", token: "")).Status);
        Assert.Equal(401, (await _service.CallAsync("GET", "/v2/keys?qstash_token=wrong", token: "")).Status);
        Assert.Equal(401, (await _service.CallAsync("GET", "/v2/keys", token: "")).Status);
        Assert.Equal(401, (await _service.CallAsync("GET", "/v2/keys?qstash_token=old-token", token: "wrong")).Status);
        Assert.Equal(401, (await _service.CallAsync("GET", "/v2/keys", null, "", ("Authorization", "Basic new-token"))).Status);
    }

    [Fact]
    public async Task A_token_in_the_query_reaches_no_destination()
    {
        var answer = await _service.CallAsync("POST", "/v2/publish/https://example.com/?a=1&qstash_token=new-token", "x", "");

        Assert.Equal(200, answer.Status);
        var message = (await _service.MessageAsync((string)answer.Json["messageId"]!))!.Message;
        Assert.Equal("https://example.com/?a=1", message.Url);
    }

    [Fact]
    public async Task A_read_only_token_looks_at_everything_and_changes_nothing()
    {
        var routes = _service.All<IResource>().SelectMany(resource => resource.Routes).Where(r => r.Method != Route.AnyMethod).ToList();
        Assert.NotEmpty(routes);
        foreach (var route in routes)
        {
            var target = string.Join('/', route.Pattern.Split('/').Select(part => part.StartsWith('{') ? "some-name" : part));
            var answer = await _service.CallAsync(route.Method, target, "", "looker");
            // Who has the signing keys can do more than look.
            var reads = route is { Method: "GET", Pattern: not "/v2/keys" };
            Assert.True(
                reads ? answer.Status is 200 or 404 : answer.Status == 403,
                $"{route.Method} {target}: {answer.Status} {answer.Text}");
            if (!reads)
                Assert.Equal("forbidden: this token is read-only", answer.Error);
        }
    }

    [Fact]
    public async Task Nothing_but_health_checks_and_webhooks_of_runs_answers_without_a_token()
    {
        var routes = _service.All<IResource>().SelectMany(resource => resource.Routes).ToList();
        Assert.Equal(["/health", "/ready", "/v2/workflows/hooks/{user}/{run}/{event}"], routes.Where(r => r.Access == AccessLevel.None).Select(r => r.Pattern).Order());
        foreach (var route in routes.Where(r => r.Access != AccessLevel.None))
        {
            var target = string.Join('/', route.Pattern.Split('/').Select(part => part.StartsWith('{') ? "some-name" : part));
            Assert.Equal(401, (await _service.CallAsync(route.Method, target, "", "")).Status);
        }
    }
}
