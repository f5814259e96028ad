using System.Globalization;
using System.Text.Json;
using FuncStash.Client;
using FuncStash.Client.Tests;

namespace FuncStash.Cli.Tests.Verbs;

public sealed class DlqTests(EmbeddedServer server)
{
    private readonly string _label = "d-" + Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Dead_letters_are_listed_retried_and_deleted_by_filters_and_ids()
    {
        var status = 503;
        await using var app = await Receiver.StartAsync();
        app.Otherwise = _ => Answer.Of(status, "no \u001b[31mroom");
        await FailAsync(app.BaseUrl, 5);

        var listed = await ListAsync("--status", "503");
        Assert.Equal(5, listed.Count);
        Assert.Empty(await ListAsync("--status", "500"));
        Assert.Empty(await ListAsync("--until", "1h"));
        Assert.Equal(Enumerable.Reverse(listed), await ListAsync("--latest-first"));
        Assert.Equal(5, (await ListAsync("--error", "destination answered with status 503")).Count);
        Assert.Empty(await ListAsync("--error", "destination answered"));
        Assert.Equal(2, (await ListAsync("--limit", "2")).Count);
        Assert.Contains("\t503\t", (await Funcstash.RunAsync(server, "dlq", "list", "--label", _label)).Lines[0], StringComparison.Ordinal);
        var detail = (await Funcstash.RunAsync(server, "dlq", "get", listed[0])).Well;
        Assert.Contains(_label, detail, StringComparison.Ordinal);
        // What the destination answered colours nobody's terminal.
        Assert.Contains("no  [31mroom", detail, StringComparison.Ordinal);

        status = 200;
        Assert.Equal("1 sent again\n", (await Funcstash.RunAsync(server, "dlq", "retry", listed[0])).Well);
        Assert.Equal(ExitCode.NotFound, (await Funcstash.RunAsync(server, "dlq", "retry", listed[0])).Code);
        Assert.Equal("1 deleted\n", (await Funcstash.RunAsync(server, "dlq", "delete", listed[1])).Well);
        Assert.Equal(ExitCode.NotFound, (await Funcstash.RunAsync(server, "dlq", "delete", listed[1])).Code);
        var some = await Funcstash.RunAsync(server, "dlq", "delete", listed[1], listed[2]);
        Assert.Equal((ExitCode.Incomplete, "1 deleted\n"), (some.Code, some.Out));
        var retried = await Funcstash.RunAsync(server, "dlq", "retry", "--label", _label, "--yes", "--json");
        Assert.Equal(2, retried.Lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("messageId").GetString()).Distinct().Count());
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task Nothing_is_done_where_nobody_said_yes_and_nobody_can_be_asked()
    {
        await using var app = await Receiver.StartAsync();
        app.Otherwise = _ => Answer.Of(500);
        await FailAsync(app.BaseUrl, 1);

        foreach (var verb in new[] { "retry", "delete" })
        {
            var ran = await Funcstash.RunAsync(server, "dlq", verb, "--label", _label);
            Assert.Equal(ExitCode.Usage, ran.Code);
            Assert.Contains("--yes", ran.Error, StringComparison.Ordinal);
            Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(server, "dlq", verb, "--yes")).Code);
            Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(server, "dlq", verb, "--all", "--label", _label, "--yes")).Code);
        }

        Assert.Single(await ListAsync());
        Assert.Equal("1 deleted\n", (await Funcstash.RunAsync(server, "dlq", "delete", "--label", _label, "--yes")).Well);
    }

    private async Task FailAsync(string url, int count)
    {
        await server.NewClient().BatchAsync(Enumerable.Range(0, count).Select(n =>
            new BatchMessage(url, n.ToString(CultureInfo.InvariantCulture), new() { Retries = 0, Labels = [_label] })));
        await Eventually.GetAsync(() => ListAsync(), found => found.Count == count);
    }

    private async Task<List<string>> ListAsync(params string[] filters) =>
        [.. (await Funcstash.RunAsync(server, ["dlq", "list", "--label", _label, "--json", .. filters])).Well
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("dlqId").GetString()!)];
}
