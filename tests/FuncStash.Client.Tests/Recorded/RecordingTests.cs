using FuncStash.Client.Testing;

namespace FuncStash.Client.Tests.Recorded;

/// <summary>The official SDK itself, beside this client.</summary>
public sealed class RecordingTests
{
    private static readonly string s_folder = Path.Combine(Repository.Root, "tests", "FuncStash.Client.Tests", "Recorded");

    [Fact]
    public async Task A_recording_made_anew_is_the_same()
    {
        await InstallAsync();
        await using var recording = ChildProcess.Start("node", ["record.mjs"], folder: s_folder);
        Assert.Equal(0, await recording.ExitAsync());

        Assert.Equal((await File.ReadAllTextAsync(Path.Combine(s_folder, "requests.json"))).TrimEnd(), recording.Output);
    }

    [Fact]
    public async Task Its_receiver_accepts_what_the_test_signer_signs()
    {
        const string Url = "https://app.example.com/hook?a=1", Body = "{\"name\":\"größe\"}";
        await InstallAsync();
        foreach (var key in (string[])[EmbeddedServer.CurrentKey, EmbeddedServer.NextKey])
        {
            var token = new TestSigner(key).Sign(Url, System.Text.Encoding.UTF8.GetBytes(Body));
            await using var receiver = ChildProcess.Start(
                "node", ["verify.mjs", token, Body, Url, EmbeddedServer.CurrentKey, EmbeddedServer.NextKey], folder: s_folder);

            Assert.True(await receiver.ExitAsync() == 0, receiver.Output);
            Assert.Equal("true", receiver.Output);
        }
    }

    private static async Task InstallAsync()
    {
        var locked = new FileInfo(Path.Combine(s_folder, "package-lock.json"));
        var installed = new FileInfo(Path.Combine(s_folder, "node_modules", ".package-lock.json"));
        if (installed.Exists && installed.LastWriteTimeUtc >= locked.LastWriteTimeUtc)
            return;
        await using var npm = ChildProcess.Start("npm", ["ci"], folder: s_folder, tree: true);
        Assert.True(await npm.ExitAsync(TimeSpan.FromMinutes(3)) == 0, npm.Output);
    }
}
