namespace FuncStash.Cli;

/// <summary>The command line, a file or a setting is wrong, and nothing was done.</summary>
internal sealed class UsageException(string message) : Exception(message);
