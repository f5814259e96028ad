using System.Globalization;

namespace FuncStash.Bench;

/// <summary>What to measure, from the command line. See bench/README.md.</summary>
internal sealed record Options
{
    public const string Usage = """
        FuncStash.Bench run --url BASE --token TOKEN [--pid PID] [--n 20000] [--connections 32] [--rounds 3]
                        [--phases load,idle,delayed,retry] [--warmup 10000] [--data DIR] [--title TEXT]
                        [--server TEXT] [--commit TEXT] [--report FILE]
        FuncStash.Bench kills --server DLL [--kills 1000] [--seed N] [--longest 1500] [--settled 500]
                        [--data DIR] [--title TEXT] [--commit TEXT] [--report FILE]
        FuncStash.Bench workflows --server DLL [--runs 2000] [--sleeping 100000] [--rounds 3] [--connections 32]
                        [--data DIR] [--title TEXT] [--commit TEXT] [--report FILE]
        FuncStash.Bench ceiling      serves the yardstick until its standard input ends
        """;

    public static readonly string[] AllPhases = ["load", "idle", "delayed", "retry"];

    public required Uri Url { get; init; }
    public required string Token { get; init; }

    /// <summary>The server's process, for its CPU and memory; null leaves them out.</summary>
    public int? Pid { get; init; }

    /// <summary>Messages in the load phase of a round.</summary>
    public int N { get; init; } = 20_000;

    public int Connections { get; init; } = 32;
    public int Rounds { get; init; } = 3;
    public string[] Phases { get; init; } = AllPhases;

    /// <summary>Messages sent to each server before anything is measured.</summary>
    public int Warmup { get; init; } = 10_000;

    /// <summary>Folder in which the cost of fsync is measured: on the disk that holds the server's data.</summary>
    public string Data { get; init; } = Path.GetTempPath();

    public string Title { get; init; } = "load test";
    public string Server { get; init; } = "the server under test";
    public string Commit { get; init; } = "unknown";

    /// <summary>File for the Markdown report, besides standard output; null for none.</summary>
    public string? Report { get; init; }

    /// <exception cref="FormatException">an unknown option, a missing or malformed value</exception>
    public static Options Parse(ReadOnlySpan<string> args)
    {
        var options = new Options { Url = new Uri("about:blank"), Token = "" };
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 >= args.Length)
                throw new FormatException($"{args[i]} needs a value");
            var value = args[i + 1];
            options = args[i] switch
            {
                "--url" => options with { Url = new Uri(value.TrimEnd('/') + "/") },
                "--token" => options with { Token = value },
                "--pid" => options with { Pid = Count(value, int.MaxValue) },
                "--n" => options with { N = Count(value, Batch.MaxMessages) },
                "--connections" => options with { Connections = Count(value, 1_000) },
                "--rounds" => options with { Rounds = Count(value, 20) },
                "--phases" => options with { Phases = PhaseList(value) },
                "--warmup" => options with { Warmup = Count(value, Batch.MaxMessages) },
                "--data" => options with { Data = value },
                "--title" => options with { Title = value },
                "--server" => options with { Server = value },
                "--commit" => options with { Commit = value },
                "--report" => options with { Report = value },
                _ => throw new FormatException($"unknown option {args[i]}"),
            };
        }
        if (options.Url.Scheme != Uri.UriSchemeHttp || options.Token.Length == 0)
            throw new FormatException("--url (http) and --token are needed");
        return options;
    }

    private static int Count(string text, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= 1 && n <= most
            ? n : throw new FormatException($"{text} is not a number from 1 to {most}");

    private static string[] PhaseList(string text)
    {
        var wanted = text.Split(',');
        return wanted.Except(AllPhases).Any()
            ? throw new FormatException($"{text}: the phases are {string.Join(',', AllPhases)}")
            : [.. AllPhases.Intersect(wanted)];
    }
}
