using System.Globalization;

namespace FuncStash.Bench.Flows;

/// <summary>A measurement of workflows, from the command line. See bench/README.md.</summary>
internal sealed record FlowOptions
{
    public required string Server { get; init; }

    /// <summary>Runs of five steps in a round; as many plain messages as they have steps are sent beside them.</summary>
    public int Runs { get; init; } = 2_000;

    /// <summary>Runs that sleep at a time, for what they cost in memory; 0 leaves them out.</summary>
    public int Sleeping { get; init; } = 100_000;

    public int Rounds { get; init; } = 3;
    public int Connections { get; init; } = 32;

    /// <summary>Folder for the server's data.</summary>
    public string Data { get; init; } = Path.GetTempPath();

    public string Title { get; init; } = "workflows";
    public string Commit { get; init; } = "unknown";

    /// <summary>File for the Markdown report, besides standard output; null for none.</summary>
    public string? Report { get; init; }

    /// <exception cref="FormatException">an unknown option, a missing or malformed value</exception>
    public static FlowOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new FlowOptions { Server = "" };
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 >= args.Length)
                throw new FormatException($"{args[i]} needs a value");
            var value = args[i + 1];
            options = args[i] switch
            {
                "--server" => options with { Server = value },
                "--runs" => options with { Runs = Number(value, 1, 1_000_000) },
                "--sleeping" => options with { Sleeping = Number(value, 0, 1_000_000) },
                "--rounds" => options with { Rounds = Number(value, 1, 20) },
                "--connections" => options with { Connections = Number(value, 1, 1_000) },
                "--data" => options with { Data = value },
                "--title" => options with { Title = value },
                "--commit" => options with { Commit = value },
                "--report" => options with { Report = value },
                _ => throw new FormatException($"unknown option {args[i]}"),
            };
        }
        return options.Server.Length > 0 ? options : throw new FormatException("--server is needed");
    }

    private static int Number(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= least && n <= most
            ? n : throw new FormatException($"{text} is not a number from {least} to {most}");
}
