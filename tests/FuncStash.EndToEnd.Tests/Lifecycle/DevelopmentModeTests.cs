using System.Globalization;

namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>A program with QSTASH_DEV=true finds this server in place of the vendor's binary (protocol#development-server).</summary>
public abstract class DevelopmentModeTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task The_SDK_in_development_mode_uses_the_running_server_and_downloads_nothing()
    {
        await NodeModules.EnsureAsync(Repository.NodeFolder);
        var home = Directory.CreateTempSubdirectory("funcstash-home-");
        await using var program = ChildProcess.Start(
            "node", ["dev-program.mjs", Receiver.Url("/hook")],
            new Dictionary<string, string?>
            {
                ["QSTASH_DEV"] = "true",
                ["QSTASH_DEV_PORT"] = Host.Url.Port.ToString(CultureInfo.InvariantCulture),
                ["HOME"] = home.FullName,
            },
            Repository.NodeFolder);

        var exit = await program.ExitAsync(TimeSpan.FromSeconds(30));

        Assert.True(exit == 0, program.Output);
        Assert.Contains("Server already running at " + Host.Url.GetLeftPart(UriPartial.Authority), program.Output, StringComparison.Ordinal);
        Assert.Contains("published msg_", program.Output, StringComparison.Ordinal);
        var request = await Receiver.OneAsync("/hook");
        Assert.Equal("""{"hello":"dev"}""", request.Text);
        Assert.True(await Sdk.VerifyAsync(Credentials.Development, request.Signature, request.Text, Receiver.Url("/hook")));
        Assert.Empty(home.GetFileSystemInfos());
        home.Delete(recursive: true);
    }
}

public sealed class DevelopmentModeOnSqlite(SqliteHost hosts, NodeSdk sdk) : DevelopmentModeTests(hosts, sdk);

public sealed class DevelopmentModeOnFunctions(FunctionsHost hosts, NodeSdk sdk) : DevelopmentModeTests(hosts, sdk);
