using System.Text.RegularExpressions;
using FuncStash.Http;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Tests.Http;

/// <summary>Names become keys of rows. What cannot be one is a name that nothing has, and never the service's own failure.</summary>
public sealed partial class UnheardOfNamesTests
{
    // As a path has them.
    private static readonly string[] s_names =
    [
        "a%2Fb", "a%5Cb", "a%23b", "a%3Fb", "a%25b", "a%00b", "a%0Ab", "%7F", "%C2%85", "%FF", "%C3%28", ".", "..", "%2E%2E", "%20",
        "ü", "a%C3%BCb", "%F0%9F%98%80", "%EF%BF%BD", "a|b", "a'b", "a\"b", "*", "%", "%zz", new string('a', 257), new string('a', 60_000),
        "msg_", "msg_" + new string('1', 22), "1-0", "9999999999999-0", "-1", "99999999999999999999-0",
    ];

    public static TheoryData<string> Names => [.. s_names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_name_that_cannot_be_is_404_or_400_in_every_path(string name)
    {
        await using var service = new TestService();
        foreach (var route in service.All<IResource>().SelectMany(resource => resource.Routes).Where(r => r.Pattern.Contains('{')))
        {
            var target = Parameter().Replace(route.Pattern, _ => name);
            foreach (var method in new[] { route.Method, "HEAD", "GET", "DELETE", "POST", "PATCH" })
            {
                var answer = await service.CallAsync(method, target, "{}");

                // A pin and a pause of a key make the key, and a deletion is done when nothing is there. Any text is an event's name.
                var isEvent = route.Pattern.Split('/') is [_, _, "wait" or "notify" or "waiters", "{event}"];
                Assert.True(
                    answer.Status is 404 or 400 or 405 || (answer.Status == 200 && IsName(name)) || (isEvent && answer.Status is 200 or 201 or 412),
                    $"{method} {target}: {answer.Status} {answer.Text}");
                if (answer.Status is not (200 or 201) && method != "HEAD")
                    Assert.NotEmpty(answer.Error);
            }
        }
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("DELETE", "")]
    [InlineData("PATCH", "/pause")]
    [InlineData("PATCH", "/resume")]
    [InlineData("POST", "/pause")]
    [InlineData("POST", "/resume")]
    public async Task A_schedule_of_such_a_name_is_refused(string method, string action)
    {
        await using var service = new TestService();
        foreach (var name in s_names.Where(name => !IsName(name)))
        {
            var answer = await service.CallAsync(method, $"/v2/schedules/{name}{action}");

            Assert.True(answer.Status == 400, $"{method} {name}{action}: {answer.Status} {answer.Text}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_name_that_cannot_be_is_refused_where_it_would_be_made(string name)
    {
        var text = Uri.UnescapeDataString(name);
        await using var service = new TestService();
        foreach (var setting in new[] { "Upstash-Schedule-Id", "Upstash-Queue-Name", "Upstash-Flow-Control-Key" })
        {
            var answer = await service.CallAsync(
                "POST", "/v2/schedules/https://api.example.com", "", null,
                ("Upstash-Cron", "* * * * *"), ("Upstash-Flow-Control-Value", "rate=1"), ("Upstash-Flow-Control-Key", "k"), (setting, text));
            // A setting without a value is none.
            Assert.True(IsName(text) || string.IsNullOrWhiteSpace(text) ? answer.Status == 200 : answer.Status == 400, $"{setting} {name}: {answer.Text}");
        }
        // Deduplication ids are hashed, labels are no keys.
        foreach (var setting in new[] { "Upstash-Deduplication-Id", "Upstash-Label" })
            Assert.True((await service.CallAsync("POST", "/v2/publish/https://api.example.com", "", null, (setting, text))).Status is 200 or 400);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Cursors_and_filters_hold_any_text(string name)
    {
        await using var service = new TestService();
        await service.PublishAsync("https://api.example.com", "", ("Upstash-Label", "l"));
        var lists = new[] { ("GET", "/v2/events"), ("GET", "/v2/logs"), ("GET", "/v2/dlq"), ("DELETE", "/v2/dlq"), ("POST", "/v2/dlq/retry"), ("DELETE", "/v2/messages") };
        foreach (var (method, path) in lists)
        {
            foreach (var parameter in MessageFilter.Names.Concat(["cursor", "messageIds", "dlqIds", "state", "order", "count", "source", "responseStatus"]))
            {
                var answer = await service.CallAsync(method, $"{path}?{parameter}={name}&{parameter}={name}");

                Assert.True(answer.Status is 200 or 201 or 400 or 404, $"{method} {path} {parameter}: {answer.Status} {answer.Text}");
            }
        }
        Assert.Equal(200, (await service.CallAsync("GET", $"/v2/flowControl?search={name}")).Status);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("a|b-c_d.e~ü 寸", true)]
    [InlineData("a/b", false)]
    [InlineData("a\\b", false)]
    [InlineData("a#b", false)]
    [InlineData("a?b", false)]
    [InlineData("a%b", false)]
    [InlineData("a\0b", false)]
    [InlineData("a\u001Fb", false)]
    [InlineData("a\u007Fb", false)]
    [InlineData("a\u0080b", false)]
    [InlineData("a\u009Fb", false)]
    public void A_key_is_what_every_store_takes(string key, bool valid)
    {
        Assert.Equal(valid, EntityKeys.IsValid(key));
        Assert.Equal(valid, Record.Exception(() => EntityKeys.Checked(key)) is null);
    }

    [Fact]
    public void A_key_has_a_length()
    {
        Assert.True(EntityKeys.IsValid(new string('a', 512)));
        Assert.False(EntityKeys.IsValid(new string('a', 513)));
    }

    private static bool IsName(string name) => Wire.ResourceName.IsValid(Uri.UnescapeDataString(name));

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
