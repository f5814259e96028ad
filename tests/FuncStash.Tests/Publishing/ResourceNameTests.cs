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
}
