using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using FuncStash.Cli.Verbs;

namespace FuncStash.Cli;

/// <summary>The help of a verb, with its examples at the end.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = help.Invoke(parseResult);
        var examples = parseResult.CommandResult.Command is Verb verb ? verb.Examples : ["funcstash", "funcstash publish https://example.com/hook --data hello", "funcstash logs --follow"];
        if (examples.Count == 0)
            return code;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in examples)
            output.WriteLine($"  {example}");
        return code;
    }
}
