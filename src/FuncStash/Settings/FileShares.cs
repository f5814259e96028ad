using System.Globalization;

namespace FuncStash.Settings;

/// <summary>Who may have how many of the files, sockets among them, that the system lets this process open.</summary>
/// <remarks>
/// A runtime that finds no file for a library it wants to load ends the process, whoever took the last one. So the shares
/// leave some over.
/// </remarks>
/// <param name="Destinations">Connections to destinations, and what looks up their hosts.</param>
/// <param name="Clients">Connections of clients.</param>
/// <param name="Storage">Connections to a storage account.</param>
public sealed record FileShares(int Destinations, int Clients, int Storage)
{
    // For itself: libraries (two files each, as .NET loads them), the store, the log, and what is open for a moment.
    private const int Own = 320, Least = 64;

    // Where the system does not say: Windows has no such limit, macOS one of about this size for .NET.
    private const int Usual = 10_240;

    /// <summary>The shares of this process.</summary>
    /// <exception cref="FormatException">The limit is too low to work with.</exception>
    public static FileShares OfThisProcess() =>
        Of(OperatingSystem.IsLinux() ? LimitIn(File.ReadLines("/proc/self/limits")) : Usual);

    /// <summary>Shares out a limit of open files.</summary>
    /// <exception cref="FormatException">The limit is too low to work with.</exception>
    public static FileShares Of(long limit)
    {
        var free = limit - Own;
        if (free < Least)
        {
            throw new FormatException(
                $"the limit of open files (ulimit -n) is {limit}: at least {Own + Least} are needed, 1024 or more make sense");
        }
        return new FileShares((int)Math.Min(free / 2, 4096), (int)Math.Min(free * 3 / 8, 16_384), (int)Math.Min(free / 8, 768));
    }

    /// <summary>The options, with no more attempts at a time than there are connections for.</summary>
    public FuncStashOptions Limit(FuncStashOptions options)
    {
        // The others are being closed, or made for an attempt that was given up meanwhile.
        var attempts = Math.Min(options.MaxParallelism, Destinations * 3 / 4);
        return options with
        {
            MaxConnections = Destinations,
            MaxParallelism = attempts,
            DestinationParallelism = Math.Min(options.DestinationParallelism, Math.Max(1, attempts / 2)),
        };
    }

    /// <summary>The soft limit of open files in the text of Linux's <c>/proc/PID/limits</c>.</summary>
    internal static long LimitIn(IEnumerable<string> lines)
    {
        const string Name = "Max open files";
        var line = lines.FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal)) ?? "";
        var soft = line[Math.Min(Name.Length, line.Length)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return soft == "unlimited" ? int.MaxValue
            : long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : Usual;
    }
}
