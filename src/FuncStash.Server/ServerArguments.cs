using System.Globalization;
using System.Net;

namespace FuncStash.Server;

/// <summary>The command line of the embedded server.</summary>
internal sealed record ServerArguments
{
    public const string Usage = """
        FuncStash server: QStash's protocol in one process

          --port N               the port to listen on, 0 for one the system chooses   (8080; or QSTASH_DEV_PORT)
          --host ADDRESS         the address to listen on                              (localhost: 127.0.0.1 and ::1)
          --data DIR|:memory:    where messages are kept                               (.data)
          --storage sqlite|azure sqlite, or the Azure Storage account of AzureWebJobsStorage
          --help                 this text

        Settings are read from the environment: QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY, ...
        """;

    private static readonly IPAddress[] s_localhost = [IPAddress.Loopback, IPAddress.IPv6Loopback];

    public int Port { get; init; } = 8080;

    /// <summary>The addresses to listen on. What connects to <c>localhost</c> may try either of its two first.</summary>
    public IReadOnlyList<IPAddress> Hosts { get; init; } = s_localhost;

    /// <summary>Whether only this machine reaches the server.</summary>
    public bool IsLocal => Hosts.All(IPAddress.IsLoopback);

    public string Data { get; init; } = ".data";

    public bool OnAzure { get; init; }

    public bool Help { get; init; }

    /// <summary>Reads the command line; a leading <c>dev</c> and single dashes, as the official server takes them, are accepted.</summary>
    /// <exception cref="FormatException">An unknown option or a value it cannot have.</exception>
    public static ServerArguments Parse(IReadOnlyList<string> args, Func<string, string?> setting)
    {
        var result = new ServerArguments();
        if (setting("QSTASH_DEV_PORT") is { Length: > 0 } port)
            result = result with { Port = PortOf(port) };
        for (var i = args.Count > 0 && args[0] == "dev" ? 1 : 0; i < args.Count; i++)
        {
            var (name, inline) = args[i].Split('=', 2) is [var left, var right] ? (left, right) : (args[i], null);
            string Value() => inline ?? (++i < args.Count ? args[i] : throw new FormatException($"{name} needs a value"));
            result = name.TrimStart('-') switch
            {
                "port" => result with { Port = PortOf(Value()) },
                "host" => result with { Hosts = HostsOf(Value()) },
                "data" => result with { Data = Value() is { Length: > 0 } data ? data : throw new FormatException("--data needs a value") },
                "storage" => result with
                {
                    OnAzure = Value() switch
                    {
                        "sqlite" => false,
                        "azure" => true,
                        var other => throw new FormatException($"--storage {other}: must be sqlite or azure"),
                    },
                },
                "help" or "h" => result with { Help = true },
                _ => throw new FormatException($"unknown option {args[i]}"),
            };
        }
        return result;
    }

    private static int PortOf(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort
            ? port
            : throw new FormatException($"--port {text}: must be a number from 0 to {IPEndPoint.MaxPort}");

    private static IPAddress[] HostsOf(string text) => text == "localhost" ? s_localhost
        : IPAddress.TryParse(text, out var address) ? [address]
        : throw new FormatException($"--host {text}: must be localhost or an IP address");
}
