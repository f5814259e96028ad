using FuncStash.Cli;
using FuncStash.Cli.Terminals;
using FuncStash.Server;

NativeSqlite.FindHere();
// The server is there at once: it does without what the other verbs need.
return ServeVerb.ArgumentsOf(args) is { } serving
    ? await ServerProcess.RunAsync(serving)
    : await new CommandLine(Terminal.OfThisProcess()).RunAsync(args);
