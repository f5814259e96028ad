using System.CommandLine;

namespace FuncStash.Cli.Verbs;

/// <summary><c>completion</c>: what makes a shell complete verbs and options. It asks the command itself, so it never lags behind.</summary>
internal static class CompletionVerb
{
    private const string Bash = """
        _funcstash() {
          local IFS=$'\n'
          COMPREPLY=( $(funcstash "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null) )
        }
        complete -o default -F _funcstash funcstash
        """;

    private const string Zsh = """
        #compdef funcstash
        _funcstash() {
          local -a found
          found=( ${(f)"$(funcstash "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}"} )
          compadd -- $found || _files
        }
        compdef _funcstash funcstash
        """;

    private const string Fish = """
        complete -c funcstash -a '(set -l line (commandline -cp); funcstash "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName funcstash -ScriptBlock {
          param($word, $ast, $position)
          funcstash "[suggest:$position]" "$ast" 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
        }
        """;

    private static readonly Dictionary<string, string> s_scripts = new() { ["bash"] = Bash, ["zsh"] = Zsh, ["fish"] = Fish, ["pwsh"] = PowerShell };

    public static Verb Of(CommandLine commandLine)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh, fish or pwsh" };
        shell.AcceptOnlyFromAmong([.. s_scripts.Keys]);
        return new Verb(
            "completion", "Print what makes a shell complete verbs and options.",
            "source <(funcstash completion bash)          # in ~/.bashrc", "source <(funcstash completion zsh)           # in ~/.zshrc, after compinit",
            "funcstash completion fish > ~/.config/fish/completions/funcstash.fish", "funcstash completion pwsh | Out-String | Invoke-Expression") { CallsNoService = true }
            .With(shell).Runs(commandLine, run =>
            {
                run.Terminal.Out.WriteLine(s_scripts[run.Of(shell)]);
                return Task.CompletedTask;
            });
    }
}
