using System.CommandLine;

namespace FuncStash.Cli.Verbs;

/// <summary>A verb of the command line, with examples at the end of its help.</summary>
internal sealed class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Command lines that work, each with what it does after a <c>#</c>.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Whether the options that say which service is meant are nothing to it.</summary>
    public bool CallsNoService { get; init; }

    /// <summary>Takes arguments, options and further verbs.</summary>
    public Verb With(params Symbol[] symbols)
    {
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Argument argument: Add(argument); break;
                case Option option: Add(option); break;
                case Command command: Add(command); break;
                default: throw new ArgumentException($"{symbol.Name} is nothing a verb has.");
            }
        }

        return this;
    }

    /// <summary>Says what it does.</summary>
    public Verb Runs(CommandLine commandLine, Func<Invocation, Task<int>> run)
    {
        SetAction((parsed, cancellation) => commandLine.InvokeAsync(parsed, run, cancellation));
        return this;
    }

    /// <summary>Says what it does, where it is done when it ends without an exception.</summary>
    public Verb Runs(CommandLine commandLine, Func<Invocation, Task> run) => Runs(commandLine, async invocation =>
    {
        await run(invocation);
        return ExitCode.Done;
    });
}
