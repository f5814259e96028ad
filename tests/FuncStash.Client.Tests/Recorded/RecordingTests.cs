using FuncStash.Client.Testing;

namespace FuncStash.Client.Tests.Recorded;

/// <summary>The official SDK itself, beside this client.</summary>
public sealed class RecordingTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "FuncStash.Client.Tests", "Recorded");

    [Fact]
    public async Task A_recording_made_anew_is_the_same()
    {
        await InstallAsync();
        await using var recording = new Child("node", ["record.mjs"], folder: Folder).Start();
        Assert.Equal(0, await recording.ExitAsync());

        Assert.Equal((await File.ReadAllTextAsync(Path.Combine(Folder, "requests.json"))).TrimEnd(), recording.Output);
    }

    [Fact]
    public async Task Its_receiver_accepts_what_the_test_signer_signs()
    {
        const string url = "https://app.example.com/hook?a=1", body = "{\"name\":\"größe\"}";
        await InstallAsync();
        foreach (var key in (string[])[EmbeddedServer.CurrentKey, EmbeddedServer.NextKey])
        {
            var token = new TestSigner(key).Sign(url, System.Text.Encoding.UTF8.GetBytes(body));
            await using var receiver = new Child(
                "node", ["verify.mjs", token, body, url, EmbeddedServer.CurrentKey, EmbeddedServer.NextKey], folder: Folder).Start();

            Assert.True(await receiver.ExitAsync() == 0, receiver.Output);
            Assert.Equal("true", receiver.Output);
        }
    }

    private static async Task InstallAsync()
    {
        var locked = new FileInfo(Path.Combine(Folder, "package-lock.json"));
        var installed = new FileInfo(Path.Combine(Folder, "node_modules", ".package-lock.json"));
        if (installed.Exists && installed.LastWriteTimeUtc >= locked.LastWriteTimeUtc)
            return;
        await using var npm = new Child("npm", ["ci"], folder: Folder).Start();
        Assert.True(await npm.ExitAsync(TimeSpan.FromMinutes(3)) == 0, npm.Output);
    }
}
