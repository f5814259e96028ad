using System.Net;

namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>The disk under the server's data gets full and has room again while the server runs.</summary>
[Collection(Alone.Name)]
public sealed class FullDiskOnServer
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_was_sent_is_sent_once_what_is_due_waits_and_publishes_are_told_why_until_there_is_room()
    {
        Assert.SkipUnless(await CanMountAsync(), "a file system of a test's own cannot be mounted here");
        const int Many = 30;
        var gate = new TaskCompletionSource();
        await using var receiver = await Receiver.StartAsync();
        receiver.Answers("/held", Answer.Hang(gate.Task));
        await using var data = new SmallDisk();
        await using var host = await ServerHost.StartWithinAsync(data, $"mount -t tmpfs -o size=16m none '{data.Path}'", mounts: true);
        var wire = new WireClient(host);
        var ids = new List<string>();
        for (var i = 0; i < Many; i++)
            ids.Add(await wire.PublishAsync(receiver.Url("/held")));
        await receiver.WaitForAsync("/held", Many, s_patience);
        var delayed = await wire.PublishAsync(receiver.Url("/due"), "", ("Upstash-Delay", "3s"));
        var due = TimeProvider.System.GetUtcNow().AddSeconds(4);

        var filler = Fill($"/proc/{host.ProcessId}/root{data.Path}/filler");
        gate.SetResult();
        var ready = await Eventually.GetAsync(() => wire.GetAsync("/ready"), answer => answer.Status != HttpStatusCode.OK, timeout: s_patience);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready: the disk of the storage is full"), (ready.Status, ready.Error));
        // It stays so past the time when the delayed message is due.
        await Eventually.GetAsync(
            async () =>
            {
                var refused = await wire.TryPublishAsync(receiver.Url("/refused"), []);
                Assert.Equal(
                    (HttpStatusCode.ServiceUnavailable, "the disk of the storage is full: try again later"), (refused.Status, refused.Error));
                Assert.Equal(["5"], refused.Headers.GetValues("Retry-After"));
                return TimeProvider.System.GetUtcNow();
            },
            now => now > due, timeout: s_patience);
        Assert.Empty(receiver.Requests("/due"));
        Assert.Equal(HttpStatusCode.OK, (await wire.GetAsync("/health")).Status);

        File.Delete(filler);
        foreach (var id in ids.Append(delayed))
            await wire.StatesUntilAsync(id, "DELIVERED", s_patience);
        Assert.Equal(HttpStatusCode.OK, (await wire.GetAsync("/ready")).Status);
        await wire.PublishAsync(receiver.Url("/after"));
        await receiver.OneAsync("/after");
        Assert.Equal(Many, receiver.Requests("/held").Count);
        Assert.Single(receiver.Requests("/due"));
        Assert.Empty(receiver.Requests("/refused"));
        Assert.Equal(0, await host.StopAsync());
    }

    private static async Task<bool> CanMountAsync()
    {
        if (!OperatingSystem.IsLinux())
            return false;
        await using var tried = ChildProcess.Start("/bin/sh", ["-c", "unshare --map-root-user --mount mount -t tmpfs none /tmp"]);
        return await tried.ExitAsync(s_patience) == 0;
    }

    private static string Fill(string path)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in (int[])[64 * 1024, 512])
        {
            var some = new byte[size];
            try
            {
                while (true)
                    file.Write(some);
            }
            catch (IOException)
            {
                // There is no room for so much.
            }
        }
        return path;
    }

    private sealed class SmallDisk : DataStore
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("funcstash-").FullName;

        public override IReadOnlyList<string> Arguments => ["--data", Path, "--storage", "sqlite"];

        public override ValueTask DisposeAsync()
        {
            Directory.Delete(Path, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
