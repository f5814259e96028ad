using FuncStash.Cli.Terminals;

namespace FuncStash.Cli.Tests;

/// <summary>How lists are written, and that nothing in them writes otherwise.</summary>
public sealed class ListingTests
{
    private static readonly Column<string>[] s_columns = [new("name", text => text), new("length", text => $"{text.Length}")];

    [Fact]
    public async Task For_people_it_is_a_table_in_which_texts_of_strangers_are_texts()
    {
        var text = await WriteAsync(isSeen: true, "[red]no colour[/]", "a\u001b[2Jb\r\n\u009b31mc", "größe");

        Assert.Contains("name", text, StringComparison.Ordinal);
        Assert.Contains("[red]no colour[/]", text, StringComparison.Ordinal);
        Assert.DoesNotContain(text.Replace(Environment.NewLine, "\n", StringComparison.Ordinal), c => char.IsControl(c) && c != '\n');
    }

    [Fact]
    public async Task Piped_it_is_a_line_for_each_with_tabs_between()
    {
        Assert.Equal("one\t3\na b  c\t6\n", await WriteAsync(isSeen: false, "one", "a\tb\r\nc"));
        Assert.Equal("", await WriteAsync(isSeen: false));
    }

    [Fact]
    public async Task A_long_text_stays_on_its_line_when_piped()
    {
        var text = new string('x', 5000);

        Assert.Equal($"{text}\t5000\n", await WriteAsync(isSeen: false, text));
    }

    private static async Task<string> WriteAsync(bool isSeen, params string[] items)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var terminal = Funcstash.TerminalOf([], output, TextWriter.Null) with { IsSeen = isSeen };
        await Listing.WriteAsync(terminal, json: false, items, s_columns, CancellationToken.None);
        return output.ToString();
    }
}
