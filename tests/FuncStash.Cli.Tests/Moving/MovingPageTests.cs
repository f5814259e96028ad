using System.Text.RegularExpressions;
using FuncStash.Cli.Moving;
using FuncStash.Client;
using FuncStash.Client.Tests;

namespace FuncStash.Cli.Tests.Moving;

/// <summary>docs/moving-from-qstash.md, followed command by command.</summary>
public sealed partial class MovingPageTests
{
    [Fact]
    public async Task Whoever_follows_the_page_has_moved()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the page is for a shell");
        var (source, target) = (await Funcstash.ServeAsync(), await Funcstash.ServeAsync());
        await using var one = source.Process;
        await using var other = target.Process;
        var folder = Directory.CreateTempSubdirectory("funcstash-moving-");
        try
        {
            var setup = Setups.Large(schedules: 25, groups: 20, queues: 5);
            var before = Path.Combine(folder.FullName, "before.yaml");
            await File.WriteAllTextAsync(before, InventoryFile.Write(setup));
            Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(source.Settings, ["apply", before, "--yes"])).Code);
            var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "moving-from-qstash.md"));
            var commands = Blocks().Matches(page).Select(block => block.Groups[1].Value).ToList();
            Assert.True(commands.Count >= 7);
            // Only the four values of the first block are the reader's own.
            commands[0] = Given(Given(Given(Given(
                commands[0], "QSTASH_FROM_URL", source.Settings["QSTASH_URL"]), "QSTASH_FROM_TOKEN", source.Settings["QSTASH_TOKEN"]),
                "QSTASH_URL", target.Settings["QSTASH_URL"]), "QSTASH_TOKEN", target.Settings["QSTASH_TOKEN"]);
            var script = $"set -euxo pipefail\nfuncstash() {{ dotnet '{Funcstash.Dll}' \"$@\"; }}\n" + string.Join('\n', commands);

            await using var shell = ChildProcess.Start("bash", ["-c", script], folder: folder.FullName, tree: true);
            var code = await shell.ExitAsync(TimeSpan.FromMinutes(3));

            Assert.True(code == 0, shell.Output);
            Assert.Contains(EmbeddedServer.CurrentKey, shell.Output, StringComparison.Ordinal);
            Assert.Equal(InventoryFile.Write(setup), InventoryFile.Write((await InventoryReader.ReadAsync(ClientOf(target.Settings), default)).Inventory));
            Assert.All(await ClientOf(source.Settings).Schedules.ListAsync(), schedule => Assert.True(schedule.IsPaused));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Given(string block, string name, string value)
    {
        var line = new Regex($"(?m)^export {name}=\\S+");
        Assert.Single(line.Matches(block));
        return line.Replace(block, $"export {name}='{value}'");
    }

    private static QStashClient ClientOf(Dictionary<string, string> settings) =>
        new(new QStashClientOptions { BaseUrl = new(settings["QSTASH_URL"]), Token = settings["QSTASH_TOKEN"] });

    [GeneratedRegex(@"(?ms)^```sh\n(.*?)^```")]
    private static partial Regex Blocks();
}
