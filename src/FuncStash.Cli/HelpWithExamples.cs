using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using FuncStash.Cli.Verbs;

namespace FuncStash.Cli;

/// <summary>The help of a verb, with its examples at the end.</summary>
internal sealed class HelpWithExamples(HelpAction help, Connection connection) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var verb = parseResult.CommandResult.Command as Verb;
        connection.Hide(verb is { CallsNoService: true });
        var code = help.Invoke(parseResult);
        var examples = verb is not null ? verb.Examples : ["funcstash", "funcstash publish https://example.com/hook --data hello", "funcstash logs --follow"];
        if (examples.Count == 0)
            return code;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in examples)
            output.WriteLine($"  {example}");
        return code;
    }
}
