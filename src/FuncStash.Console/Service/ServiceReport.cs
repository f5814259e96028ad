using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using FuncStash.Console.Parts;
using FuncStash.Destinations;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Console.Service;

/// <summary>What to say of a service in a bug report: which one it is, where it runs, what it is set to. No names, addresses or secrets.</summary>
public sealed class ServiceReport(IStore store, DestinationLanes lanes, FuncStashOptions options, TimeProvider time)
{
    private readonly long _startedAt = time.GetTimestamp();

    /// <summary>The version of this program, with the commit it was made of.</summary>
    public static string Version { get; } =
        typeof(ServiceReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public string Write()
    {
        var text = new StringBuilder();
        Line("FuncStash", Version);
        Line("Host", Assembly.GetEntryAssembly()?.GetName().Name ?? "unknown");
        Line("Store", $"{store.GetType().Name}, data of version {DataVersion.Current}");
        Line("Runtime", $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}, {Words.Count(Environment.ProcessorCount, "processor")}");
        Line("Memory", $"{Text.Bytes(Environment.WorkingSet)} of this process");
        Line("Console in use for", Text.Duration((long)time.GetElapsedTime(_startedAt).TotalMilliseconds));
        Line("In flight", $"{Text.Number(lanes.InFlight)} of {Text.Number(options.MaxParallelism)}, {Text.Number(options.DestinationParallelism)} to one host");
        foreach (var setting in SettingTable.Of(options))
            Line(setting.Name, setting.Report);
        return text.ToString();

        void Line(string name, string value) => text.Append(name).Append(": ").Append(value).Append('\n');
    }
}
