using System.Text.Json;
using FuncStash.Client.Tests;

namespace FuncStash.Cli.Tests.Verbs;

public sealed class PublishTests(EmbeddedServer server)
{
    [Fact]
    public async Task A_message_is_delivered_with_its_body_and_headers_and_its_id_is_printed()
    {
        await using var app = await Receiver.StartAsync();

        var ran = await Funcstash.RunAsync(
            server, "publish", app.BaseUrl + "/hook?a=1", "--data", "{\"n\":1}", "-H", "Content-Type: application/json", "-H", "X-Tenant: acme: north", "-X", "put");

        var delivery = await app.FirstAsync();
        Assert.Equal(("PUT", "/hook?a=1", "{\"n\":1}", "application/json", "acme: north"), (
            delivery.Method, delivery.Target, delivery.Text, delivery.Header("content-type"), delivery.Header("x-tenant")));
        Assert.Equal(delivery.Header("upstash-message-id"), ran.Well.Trim());
    }

    [Fact]
    public async Task What_is_piped_in_is_delivered_byte_for_byte()
    {
        await using var app = await Receiver.StartAsync();
        byte[] bytes = [0, 255, 10, 13];

        Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(server.Settings, ["publish", app.BaseUrl, "--data", "@-"], bytes)).Code);

        Assert.Equal(bytes, (await app.FirstAsync()).Body);
    }

    [Fact]
    public async Task Settings_of_the_message_are_those_of_the_options()
    {
        var name = "p-" + Guid.NewGuid().ToString("N");
        var ran = await Funcstash.RunAsync(
            server, "publish", "http://127.0.0.1:9/x", "--queue", name, "--delay", "1h30m", "--retries", "7", "--retry-delay", "5000", "--timeout", "20s",
            "--callback", "http://127.0.0.1:9/done", "--failure-callback", "http://127.0.0.1:9/failed", "--label", "a", "--label", "b",
            "--flow-control", name, "--rate", "5", "--period", "1m", "--deduplication-id", name, "--json");

        var id = JsonDocument.Parse(ran.Well).RootElement.GetProperty("messageId").GetString()!;
        var message = await server.NewClient().Messages.GetAsync(id);
        Assert.Equal((name, 7, "5000", "http://127.0.0.1:9/done", "http://127.0.0.1:9/failed"), (
            message.QueueName, message.MaxRetries, message.RetryDelayExpression, message.Callback, message.FailureCallback));
        Assert.Equal((name, 5, TimeSpan.FromMinutes(1)), (message.FlowControlKey, message.Rate, message.Period));
        Assert.Equal(["a", "b"], message.Labels);
        Assert.InRange(message.NotBefore - message.CreatedAt, TimeSpan.FromMinutes(89), TimeSpan.FromMinutes(91));
        var again = await Funcstash.RunAsync(server, "publish", "http://127.0.0.1:9/x", "--deduplication-id", name);
        Assert.Equal((id, true), (again.Well.Trim(), again.Error.Contains("not sent again", StringComparison.Ordinal)));

        Assert.Equal("1 cancelled\n", (await Funcstash.RunAsync(server, "messages", "cancel", id)).Well);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "publish")]
    [InlineData(ExitCode.Usage, "publish", "http://127.0.0.1:9", "--delay", "soon")]
    [InlineData(ExitCode.Usage, "publish", "http://127.0.0.1:9", "-H", "no colon")]
    [InlineData(ExitCode.Usage, "publish", "http://127.0.0.1:9", "--data", "@/no/such/file")]
    [InlineData(ExitCode.Usage, "publish", "http://127.0.0.1:9", "--rate", "5")]
    [InlineData(ExitCode.Usage, "publish", "http://127.0.0.1:9", "--retries", "-1")]
    [InlineData(ExitCode.Usage, "publish", "http://127.0.0.1:9", "--url", "nowhere")]
    [InlineData(ExitCode.Usage, "publish", "http://127.0.0.1:9", "--unknown")]
    [InlineData(ExitCode.Usage, "nothing")]
    [InlineData(ExitCode.Refused, "publish", "http://169.254.169.254/")]
    [InlineData(ExitCode.Refused, "publish", "http://127.0.0.1:9", "--token", "wrong")]
    [InlineData(ExitCode.NotFound, "messages", "get", "msg_unknown")]
    public async Task What_cannot_be_done_is_told_by_a_line_and_the_exit_code(int code, params string[] args)
    {
        var ran = await Funcstash.RunAsync(server, args);

        Assert.Equal((code, ""), (ran.Code, ran.Out.Trim()));
        Assert.NotEmpty(ran.Error);
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_another_exit_code()
    {
        string gone;
        await using (var app = await Receiver.StartAsync())
            gone = app.BaseUrl;

        Assert.Equal(ExitCode.Unreachable, (await Funcstash.RunAsync(new Dictionary<string, string> { ["QSTASH_URL"] = gone }, ["queues"])).Code);
    }

    [Fact]
    public async Task A_token_is_needed_except_for_this_machine()
    {
        Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(new Dictionary<string, string> { ["QSTASH_URL"] = "https://qstash.example" }, ["queues"])).Code);
        Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(new Dictionary<string, string> { ["QSTASH_URL"] = server.Url.ToString() }, ["queues"])).Code);
    }
}
