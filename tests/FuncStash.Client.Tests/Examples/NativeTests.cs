using System.Runtime.InteropServices;

namespace FuncStash.Client.Tests.Examples;

/// <summary>Both packages work in a program that is compiled to native code, and its compiler has nothing to say about them.</summary>
public sealed class NativeTests(EmbeddedServer server)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(15);

    [Fact]
    public async Task An_app_compiled_to_native_code_publishes_and_is_delivered_to()
    {
        var folder = Directory.CreateTempSubdirectory("funcstash-native-").FullName;
        try
        {
            await CompileAsync(folder);
            await using var shop = await Shop.StartAsync(server, Path.Combine(folder, "app", "Orders"));

            await shop.ShippedAsync(2, "lamp", await shop.OrderAsync(2, "lamp"));

            var refused = await shop.SendAsync(new HttpRequestMessage(HttpMethod.Post, shop.Url + "/ship"));
            Assert.Equal(401, (int)refused.StatusCode);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Apart from the ordinary build, so that neither sees what the other restored. Warnings are errors, the compiler's too.
    private static async Task CompileAsync(string folder)
    {
        await using var compiler = ChildProcess.Start(
            "dotnet",
            [
                "publish", Path.Combine(Repository.Root, "examples", "Orders"), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier,
                "--artifacts-path", Path.Combine(folder, "build"), "-o", Path.Combine(folder, "app"), "--disable-build-servers",
                "-p:PublishAot=true", "-p:RunAnalyzers=false", "-p:NativeDebugSymbols=false", "-p:StripSymbols=false",
                "-p:RestorePackagesWithLockFile=false", "-p:NuGetLockFilePath=none",
                .. OperatingSystem.IsLinux() && !IsOnPath("clang") ? (string[])["-p:CppCompilerAndLinker=gcc"] : [],
            ], tree: true);
        if (await compiler.ExitAsync(s_patience) == 0)
            return;
        Assert.SkipWhen(compiler.Output.Contains("ILCompiler", StringComparison.Ordinal) && compiler.Output.Contains("NU11", StringComparison.Ordinal),
            "the package of the native compiler cannot be restored here");
        Assert.SkipWhen(compiler.Output.Contains("Platform linker", StringComparison.Ordinal), "there is no linker here (clang, gcc or Visual Studio's)");
        Assert.Fail(compiler.Output);
    }

    private static bool IsOnPath(string file) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, file)));
}
