namespace FuncStash.Client.Tests.Examples;

/// <summary>The tour through the client does what it says.</summary>
public sealed class TourTests(EmbeddedServer server)
{
    [Fact]
    public async Task It_goes_through_to_its_end()
    {
        await using var app = await Receiver.StartAsync();
        await using var tour = ChildProcess.Start(
            "dotnet", [Repository.Built("examples/Tour", "Tour.dll"), app.BaseUrl],
            server.Settings!);

        Assert.True(await tour.ExitAsync() == 0, tour.Output);
        Assert.Contains("2 messages", tour.Output, StringComparison.Ordinal);
        Assert.EndsWith("404: message msg_unknown not found", tour.Output, StringComparison.Ordinal);
        foreach (var path in (string[])["/done", "/billing", "/stock"])
            await app.OneAsync(path);
        await app.FirstAsync(delivery => delivery.Text == """{"id":42,"item":"chair"}""");
    }
}
