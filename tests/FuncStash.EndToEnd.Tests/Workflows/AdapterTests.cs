namespace FuncStash.EndToEnd.Tests.Workflows;

/// <summary>Workflows behind each of the SDK's adapters, which differ in what they make of requests.</summary>
public abstract class AdapterTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("nextjs")]
    [InlineData("nextjs-pages")]
    [InlineData("hono")]
    [InlineData("h3")]
    [InlineData("cloudflare")]
    [InlineData("svelte")]
    [InlineData("solidjs")]
    [InlineData("astro")]
    [InlineData("tanstack")]
    [InlineData("react-router")]
    public async Task Every_adapter_of_the_sdk_takes_every_kind_of_step(string adapter)
    {
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var run = await app.TriggerAsync(app.AdapterFlow(adapter, "everything"), new { body = new { n = 7 } });
        await app.CallAsync("notify", new { eventId = $"event-{run}", eventData = new { n = 7 }, workflowRunId = run });

        Assert.Equal("7 8 9 10 14 7 false", (string?)WorkflowTests.Returned(await app.LogAsync(run, "RUN_SUCCESS", s_patience)));
        Assert.Equal([1, 2, 3, 5, 9], (await app.RecordAsync(run)).Ran.Select(step => step.Id).Order());
    }
}

public sealed class AdaptersOnSqlite(SqliteHost hosts, NodeSdk sdk) : AdapterTests(hosts, sdk);

public sealed class AdaptersOnFunctions(FunctionsHost hosts, NodeSdk sdk) : AdapterTests(hosts, sdk);
