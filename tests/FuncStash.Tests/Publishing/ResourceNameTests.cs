using System.Text.RegularExpressions;
using CsCheck;
using FuncStash.Wire;

namespace FuncStash.Tests.Publishing;

public sealed class ResourceNameTests
{
    [Theory]
    [InlineData("orders", true)]
    [InlineData("A.b_c-9", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("a:b", false)]
    [InlineData("\u00E9", false)]
    [InlineData("a\n", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("...", true)]
    public void Follows_the_documented_class(string name, bool valid) => Assert.Equal(valid, ResourceName.IsValid(name));

    [Fact]
    public void Has_256_characters_at_most()
    {
        Assert.True(ResourceName.IsValid(new string('a', 256)));
        Assert.False(ResourceName.IsValid(new string('a', 257)));
    }

    [Fact]
    public void One_character_outside_the_class_spoils_a_name() =>
        Gen.Select(Gen.String[Gen.Char["azAZ09._-"], 0, 20], Gen.Char, Gen.String[Gen.Char["azAZ09._-"], 0, 20])
            .Sample((before, odd, after) =>
                ResourceName.IsValid(before + odd + after) ==
                    ((char.IsAsciiLetterOrDigit(odd) || odd is '.' or '_' or '-') && before + odd + after is not ("." or "..")),
                iter: 3000);

    [Theory]
    [InlineData("GET", "/v2/queues/{name}")]
    [InlineData("DELETE", "/v2/queues/{name}")]
    [InlineData("POST", "/v2/queues/{name}/pause")]
    [InlineData("GET", "/v2/topics/{name}")]
    [InlineData("DELETE", "/v2/topics/{name}")]
    [InlineData("GET", "/v2/flowControl/{name}")]
    [InlineData("POST", "/v2/flowControl/{name}/pause")]
    [InlineData("GET", "/v2/schedules/{name}")]
    [InlineData("GET", "/v2/schedules/{name}/next")]
    [InlineData("DELETE", "/v2/schedules/{name}")]
    [InlineData("PATCH", "/v2/schedules/{name}/pause")]
    [InlineData("POST", "/v2/schedules/{name}/resume")]
    [InlineData("POST", "/v2/schedules/{name}/run")]
    public async Task What_is_none_is_refused_in_every_path(string method, string path)
    {
        await using var service = new TestService();

        foreach (var (raw, name) in new[] { ("a%20b", "a b"), ("%2e%2e", ".."), (".", "."), ("caf%C3%A9", "caf\u00E9") })
        {
            var answer = await service.CallAsync(method, path.Replace("{name}", raw, StringComparison.Ordinal));

            Assert.Equal(400, answer.Status);
            Assert.Matches($"^invalid .*: {Regex.Escape(name)}: it is {Regex.Escape(ResourceName.Rule)}", answer.Error);
        }
    }
}
