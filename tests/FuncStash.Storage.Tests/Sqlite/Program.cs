namespace FuncStash.Storage.Tests.Sqlite;

internal static class Program
{
    private static Task<int> Main(string[] args) => args is [CrashingProcess.Mode, var path]
        ? CrashingProcess.RunAsync(path)
        : Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(
            args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
}
