using System.Globalization;

namespace FuncStash.Bench.Kills;

/// <summary>A kill run, from the command line. See bench/README.md.</summary>
internal sealed record KillOptions
{
    public required string Server { get; init; }
    public int Kills { get; init; } = 1_000;
    public int Seed { get; init; } = Random.Shared.Next();

    /// <summary>The longest a server lives after it was ready, in milliseconds.</summary>
    public int Longest { get; init; } = 2_000;

    /// <summary>A server that lives so long after an answer has stored the outcome, in milliseconds.</summary>
    public int Settled { get; init; } = 1_000;

    /// <summary>Folder for the server's data, on the disk that is tried.</summary>
    public string Data { get; init; } = Path.GetTempPath();

    public string Title { get; init; } = "kill run";
    public string Commit { get; init; } = "unknown";

    /// <summary>File for the Markdown report, besides standard output; null for none.</summary>
    public string? Report { get; init; }

    /// <exception cref="FormatException">an unknown option, a missing or malformed value</exception>
    public static KillOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new KillOptions { Server = "" };
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 >= args.Length)
                throw new FormatException($"{args[i]} needs a value");
            var value = args[i + 1];
            options = args[i] switch
            {
                "--server" => options with { Server = value },
                "--kills" => options with { Kills = Number(value, 1, 100_000) },
                "--seed" => options with { Seed = Number(value, 0, int.MaxValue) },
                "--longest" => options with { Longest = Number(value, 100, 30_000) },
                "--settled" => options with { Settled = Number(value, 1, 30_000) },
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
