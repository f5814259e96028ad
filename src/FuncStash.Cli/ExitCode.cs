namespace FuncStash.Cli;

/// <summary>What a verb ends with, for scripts. docs/cli.md has the same list.</summary>
internal static class ExitCode
{
    /// <summary>It was done.</summary>
    public const int Done = 0;

    /// <summary>The service refused.</summary>
    public const int Refused = 1;

    /// <summary>The command line, a file or a setting is wrong; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>No usable answer came from the service: the network failed, something else answered, it is overloaded, or it has a fault (429, 5xx).</summary>
    public const int Unreachable = 3;

    /// <summary>There is no such message, schedule, queue, …</summary>
    public const int NotFound = 4;

    /// <summary><c>--diff</c> found differences.</summary>
    public const int Different = 5;

    /// <summary>Something of it was done, and something not.</summary>
    public const int Incomplete = 6;

    /// <summary>The signature is not valid.</summary>
    public const int Invalid = 7;

    /// <summary>It was interrupted, as by Ctrl-C, or the question was answered with no.</summary>
    public const int Interrupted = 130;
}
