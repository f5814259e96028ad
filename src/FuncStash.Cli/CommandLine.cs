using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using FuncStash.Cli.Moving;
using FuncStash.Cli.Terminals;
using FuncStash.Cli.Verbs;
using FuncStash.Client;

namespace FuncStash.Cli;

/// <summary>The verbs of <c>funcstash</c>.</summary>
internal sealed class CommandLine
{
    private readonly Terminal _terminal;
    private readonly Connection _connection = new();

    public CommandLine(Terminal terminal)
    {
        _terminal = terminal;
        Root = new RootCommand("FuncStash: a QStash of your own. Without a verb it starts a server, as 'serve' does.")
        {
            _connection.Url, _connection.Token, _connection.Json,
            ServeVerb.Of(), PublishVerb.Of(this), MessagesVerb.Of(this), LogsVerb.Of(this), DlqVerb.Of(this), SchedulesVerb.Of(this),
            QueuesVerb.Of(this), KeysVerb.Of(this), VerifyVerb.Of(this), ReadyVerb.Of(this), ImportVerb.Of(this), ApplyVerb.Of(this), ExportVerb.Of(this),
            CompletionVerb.Of(this),
        };
        var help = Root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!, _connection);
    }

    public RootCommand Root { get; }

    // An @ means a file to publish, as with curl, and not one with more arguments.
    public ParseResult Parse(IReadOnlyList<string> args) => Root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });

    /// <summary>Runs a verb, and tells what went wrong in one line.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> args, CancellationToken cancellation = default)
    {
        var parsed = Parse(args);
        // The error and where to look say more than a page of help.
        if (parsed.Action is ParseErrorAction wrong)
        {
            wrong.ShowHelp = false;
            Complain($"see 'funcstash {string.Join(' ', VerbsOf(parsed))}--help'");
        }

        try
        {
            var configuration = new InvocationConfiguration { Output = _terminal.Out, Error = _terminal.Error, EnableDefaultExceptionHandler = false };
            var code = await parsed.InvokeAsync(configuration, cancellation);
            return parsed.Action is ParseErrorAction ? ExitCode.Usage : code;
        }
        catch (Exception error) when (error is UsageException or ArgumentException or QStashRequestException or IOException or UnauthorizedAccessException)
        {
            Complain(PlainText.Of(Failure.Text(error)));
            return Failure.Code(error);
        }
    }

    private void Complain(string words)
    {
        try
        {
            _terminal.Error.WriteLine($"funcstash: {words}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // There is nowhere left to say it; the exit code does.
        }
    }

    private static List<string> VerbsOf(ParseResult parsed)
    {
        var path = new List<string> { "" };
        for (var command = parsed.CommandResult; command?.Command is Verb verb; command = command.Parent as CommandResult)
            path.Insert(0, verb.Name);
        return path;
    }

    /// <summary>Runs a verb's own part.</summary>
    public async Task<int> InvokeAsync(ParseResult parsed, Func<Invocation, Task<int>> run, CancellationToken cancellation)
    {
        try
        {
            return await run(new Invocation(parsed, _terminal, _connection, cancellation));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }
}
