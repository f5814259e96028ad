using FuncStash.Client;

namespace FuncStash.Cli;

/// <summary>What went wrong, for people and for scripts.</summary>
internal static class Failure
{
    /// <summary>In words: the service's own, where it has some.</summary>
    public static string Text(Exception error) => error switch
    {
        QStashRequestException { Status: { } status, Error: { } text } => $"{text} (status {status})",
        // The parameter's name, which .NET adds in a line of its own, is one of the code, not of the command line.
        ArgumentException { ParamName: { } name } => error.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal),
        _ => error.Message,
    };

    /// <summary>The exit code.</summary>
    public static int Code(Exception error) => error switch
    {
        QStashRequestException { Status: 404 } => ExitCode.NotFound,
        QStashRequestException { Status: null or < 400 or 408 or 429 or >= 500 } => ExitCode.Unreachable,
        QStashRequestException => ExitCode.Refused,
        _ => ExitCode.Usage,
    };
}
