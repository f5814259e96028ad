using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using System.Reflection;
using System.Text;
using FuncStash.Cli.Moving;
using FuncStash.Cli.Verbs;
using FuncStash.Client.Tests;

namespace FuncStash.Cli.Tests;

/// <summary>What the command says of itself is true, and docs/cli.md says the same.</summary>
public sealed class HelpTests
{
    private static readonly CommandLine s_commandLine = new(Funcstash.TerminalOf([], TextWriter.Null, TextWriter.Null));
    private static readonly string s_page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "cli.md"));

    public static TheoryData<string> Examples => [.. Verbs(s_commandLine.Root).SelectMany(verb => verb.Examples)];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_example_is_a_command_line_that_is_understood(string example)
    {
        var words = Words(example.Replace("<(", "", StringComparison.Ordinal).Replace(")  ", "  ", StringComparison.Ordinal));
        var args = words.Skip(words.LastIndexOf("funcstash") + 1).TakeWhile(word => word is not ("#" or ">" or ">>" or "|" or "&&")).ToArray();

        Assert.Empty(s_commandLine.Parse(args).Errors);
    }

    [Fact]
    public void Every_verb_has_examples_and_they_are_in_its_help()
    {
        Assert.All(Verbs(s_commandLine.Root), verb => Assert.NotEmpty(verb.Examples));
        using var output = new StringWriter();
        new CommandLine(Funcstash.TerminalOf([], output, TextWriter.Null)).Root.Parse(["dlq", "retry", "--help"]).Invoke(new() { Output = output });
        Assert.Contains("funcstash dlq retry --status 503", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_has_every_verb_with_every_option_and_every_exit_code()
    {
        foreach (var verb in Verbs(s_commandLine.Root))
        {
            Assert.Contains($"funcstash {PathOf(verb)}", s_page, StringComparison.Ordinal);
            Assert.All(verb.Options.Where(option => option is not HelpOption), option => Assert.Contains($"`{option.Name}", s_page, StringComparison.Ordinal));
        }

        var codes = typeof(ExitCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (int)field.GetRawConstantValue()!);
        Assert.All(codes, code => Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"\n| {code} |"), s_page, StringComparison.Ordinal));
    }

    [Fact]
    public void The_file_on_the_page_is_one()
    {
        var yaml = s_page.Split("```yaml\n")[1].Split("```")[0];

        var inventory = InventoryFile.Read(Encoding.UTF8.GetBytes(yaml));

        Assert.Equal((1, 1, 1, 1), (inventory.Schedules.Count, inventory.UrlGroups.Count, inventory.Queues.Count, inventory.FlowControl.Count));
    }

    [Theory]
    [InlineData("serve", false)]
    [InlineData("completion", false)]
    [InlineData("queues", true)]
    [InlineData("", true)]
    public async Task The_options_of_a_service_are_in_the_help_of_what_calls_one(string verb, bool there)
    {
        var help = (await Funcstash.RunAsync(new Dictionary<string, string>(), [.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"])).Well;

        Assert.All(["--url", "--token", "--json"], option => Assert.Equal(there, help.Contains(option, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("publish http://x --retries abc", "--retries abc")]
    [InlineData("publish http://x --retries -1", "--retries -1")]
    [InlineData("publish http://x --flow-control k --rate 0", "--rate 0")]
    [InlineData("logs --limit 1.5", "--limit 1.5")]
    [InlineData("logs -n -1", "-n -1")]
    [InlineData("dlq list --status 500 --status abc", "--status abc")]
    [InlineData("dlq list --status 99999999999", "--status 99999999999")]
    [InlineData("queues set q --parallelism 0", "--parallelism 0")]
    [InlineData("apply file --together 0", "--together 0")]
    public async Task What_is_no_number_is_told_with_its_option(string line, string told)
    {
        var ran = await Funcstash.RunAsync(new Dictionary<string, string>(), line.Split(' '));

        Assert.Equal((ExitCode.Usage, ""), (ran.Code, ran.Out));
        Assert.Contains($"{told}: it is a whole number from ", ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help >/dev/full", 2)]
    [InlineData("--version >/dev/full", 2)]
    [InlineData("--help >&-", 2)]
    [InlineData("completion bash >/dev/full", 2)]
    [InlineData("nonsense 2>/dev/full", 2)]
    [InlineData("queues --url http://127.0.0.1:1 2>/dev/full", 3)]
    [InlineData("--help >/dev/full 2>&1", 2)]
    public async Task An_output_that_cannot_be_written_is_told_by_the_exit_code(string line, int code)
    {
        if (!File.Exists("/dev/full"))
            Assert.Skip("there is no /dev/full here");
        await using var process = ChildProcess.Start("sh", ["-c", $"dotnet \"$0\" {line}", Funcstash.Dll]);

        Assert.Equal(code, await process.ExitAsync());
        Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shell_gets_the_verbs_and_options_that_fit()
    {
        Assert.Equal("dlq\n", (await Funcstash.RunAsync(new Dictionary<string, string>(), ["[suggest:12]", "funcstash dl"])).Out);
        Assert.Contains("--schedules-paused", (await Funcstash.RunAsync(new Dictionary<string, string>(), ["[suggest:19]", "funcstash import --"])).Lines);
        Assert.Contains("cancelrequested", (await Funcstash.RunAsync(new Dictionary<string, string>(), ["[suggest:23]", "funcstash logs --state "])).Lines);
    }

    [Theory]
    [InlineData("bash", "-n")]
    [InlineData("zsh", "-n")]
    [InlineData("fish", "-n")]
    public async Task The_completion_scripts_are_ones(string shell, string check)
    {
        var script = (await Funcstash.RunAsync(new Dictionary<string, string>(), ["completion", shell])).Well;
        Assert.Contains("[suggest:", script, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).All(folder => !File.Exists(Path.Combine(folder, shell))))
            Assert.Skip($"{shell} is not on the PATH");
        await using var process = ChildProcess.Start(shell, [check, "-c", script]);
        Assert.Equal(0, await process.ExitAsync());
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("serve --port 0", "--port 0")]
    [InlineData("--port=0", "--port=0")]
    [InlineData("-port 0", "-port 0")]
    [InlineData("dev -port 0", "dev -port 0")]
    [InlineData("serve --help", null)]
    [InlineData("--help", null)]
    [InlineData("--version", null)]
    [InlineData("--url http://x publish", null)]
    [InlineData("publish --data x", null)]
    public void What_starts_a_server_is_known_from_the_other_verbs(string line, string? server) =>
        Assert.Equal(server?.Split(' ', StringSplitOptions.RemoveEmptyEntries), ServeVerb.ArgumentsOf(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    private static IEnumerable<Verb> Verbs(Command command) => command.Subcommands.OfType<Verb>().SelectMany(verb => Verbs(verb).Prepend(verb));

    private static string PathOf(Symbol symbol) => symbol.Parents.First() is RootCommand ? symbol.Name : $"{PathOf(symbol.Parents.First())} {symbol.Name}";

    // As a shell splits them.
    private static List<string> Words(string line)
    {
        var (words, word, quote) = (new List<string>(), new StringBuilder(), '\0');
        foreach (var c in line + " ")
        {
            if (quote != '\0' ? c == quote : c is '\'' or '"')
                quote = quote == '\0' ? c : '\0';
            else if (c != ' ' || quote != '\0')
                word.Append(c);
            else if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }

        return words;
    }
}
