using System.Runtime.CompilerServices;

namespace FuncStash.Functions.Tests;

internal static class Quiet
{
    // The Durable test host writes every call of its own to the console, and takes no logger for that.
    [ModuleInitializer]
    public static void Silence() => Environment.SetEnvironmentVariable("Logging__LogLevel__Default", "None");
}
