using System.Net;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Examples;

/// <summary>The programs in examples, each in four languages, do what they say against a server.</summary>
/// <remarks>Those in Python run where Python has the package qstash.</remarks>
public sealed class ExampleTests(SqliteHost hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private static readonly string s_folder = Path.Combine(Repository.Root, "examples");

    public static TheoryData<string> Languages => ["sh", "ts", "py", "cs"];

    [Theory]
    [MemberData(nameof(Languages))]
    public async Task A_job_is_delivered_once(string language)
    {
        await using var server = await ServerAsync();
        for (var run = 0; run < 2; run++)
            await EndAsync(server, language, "job", Receiver.Url("/job"));

        Assert.Equal("""{"task":"send the invoice","order":7}""", Compact((await Receiver.OneAsync("/job")).Text));
        var messages = (await server.Wire.GetAsync("/v2/events?groupBy=messageId")).Json["events"]!.AsArray();
        Assert.Single(messages);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public async Task A_schedule_is_there_once_and_fires(string language)
    {
        await using var server = await ServerAsync();
        for (var run = 0; run < 2; run++)
            await EndAsync(server, language, "schedule", Receiver.Url("/report"));

        var schedule = Assert.Single((await server.Wire.GetAsync("/v2/schedules")).Json.AsArray())!;
        Assert.Equal(("nightly-report", "CRON_TZ=Europe/Berlin 0 3 * * *"), ((string?)schedule["scheduleId"], (string?)schedule["cron"]));
        await server.Wire.SendAsync(HttpMethod.Post, "/v2/schedules/nightly-report/run");
        Assert.Equal("""{"report":"yesterday"}""", Compact((await Receiver.OneAsync("/report")).Text));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public async Task Steps_come_one_after_the_other(string language)
    {
        await using var server = await ServerAsync();
        var packed = new TaskCompletionSource();
        Receiver.Answers("/steps", Answer.Hang(packed.Task), Answer.Ok);
        await EndAsync(server, language, "fifo", Receiver.Url("/steps"));
        // Others are delivered meanwhile, and of these none.
        await server.Wire.PublishAsync(Receiver.Url("/other"));
        await Receiver.OneAsync("/other");
        Assert.Single(await Receiver.WaitForAsync("/steps"));

        packed.SetResult();
        Assert.Equal(["pack", "label", "ship"], (await Receiver.WaitForAsync("/steps", 3)).Select(step => (string?)step.Json["step"]));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public async Task An_answer_is_brought_to_the_callback(string language)
    {
        await using var server = await ServerAsync();
        Receiver.Answers("/question", Answer.Of(200, "forty-two"));
        if (language == "sh")
        {
            await EndAsync(server, language, "callback", Receiver.Url("/question"), Receiver.Url("/answered"));
            var callback = (await Receiver.OneAsync("/answered")).Json;
            Assert.Equal((200, "forty-two"), ((int)callback["status"]!, System.Text.Encoding.UTF8.GetString(Convert.FromBase64String((string)callback["body"]!))));
        }
        else
        {
            Assert.Contains("answered 200: forty-two", await EndAsync(server, language, "callback", Receiver.Url("/question")), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_shell_knows_what_the_server_signed_from_what_it_did_not()
    {
        await using var server = await ServerAsync();
        const string Body = """{"order":7}""";
        await server.Wire.PublishAsync(Receiver.Url("/signed"), Body);
        var signature = (await Receiver.OneAsync("/signed")).Signature;
        var url = Receiver.Url("/signed");

        Assert.Equal((0, "signed by the service"), await CheckAsync(server, signature, url, Body));
        Assert.Equal((1, "refused: made for another body"), await CheckAsync(server, signature, url, """{"order":8}"""));
        Assert.Equal((1, "refused: made for another URL"), await CheckAsync(server, signature, url + "2", Body));
        Assert.Equal((1, "refused: made with another key"), await CheckAsync(server, signature[..^4] + "AAAA", url, Body));
    }

    [Theory]
    [InlineData("ts")]
    [InlineData("py")]
    [InlineData("cs")]
    public async Task An_endpoint_takes_nothing_but_what_the_server_signed(string language)
    {
        await using var server = await ServerAsync();
        await using var endpoint = await StartAsync(server, language, "signature");
        var url = await endpoint.WaitForLineAsync(line => line.StartsWith("http://", StringComparison.Ordinal), TimeSpan.FromMinutes(1));

        await server.Wire.PublishAsync(url, """{"order":7}""");
        await endpoint.WaitForLineAsync(line => line == """signed: {"order":7}""", TimeSpan.FromSeconds(30));
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var forged = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent("""{"order":8}""") };
        forged.Headers.Add("Upstash-Signature", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA");
        using var answer = await http.SendAsync(forged);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.DoesNotContain("\"order\":8", endpoint.Output, StringComparison.Ordinal);
    }

    /// <summary>Names and ids in the examples are fixed, so each has a server of its own.</summary>
    private async Task<OwnServer> ServerAsync()
    {
        var data = await Hosts.NewDataAsync();
        return new OwnServer(await Hosts.StartAsync(data), data);
    }

    /// <summary>Runs an example to its end; what it printed.</summary>
    private static async Task<string> EndAsync(OwnServer server, string language, string example, params string[] arguments)
    {
        await using var process = await StartAsync(server, language, example, arguments);
        Assert.True(await process.ExitAsync(TimeSpan.FromMinutes(1)) == 0, process.Output);
        return process.Output;
    }

    private static async Task<(int Code, string Output)> CheckAsync(OwnServer server, string signature, string url, string body)
    {
        await using var process = ChildProcess.Start(
            "bash", ["-c", """printf %s "$3" | signature/signature.sh "$1" "$2" """, "-", signature, url, body], server.Settings, s_folder);
        return (await process.ExitAsync(TimeSpan.FromMinutes(1)), process.Output);
    }

    private static async Task<ChildProcess> StartAsync(OwnServer server, string language, string example, params string[] arguments)
    {
        var file = $"{example}/{example}.{language}";
        switch (language)
        {
            case "ts":
                await NodeModules.EnsureAsync(s_folder);
                return ChildProcess.Start("npx", ["tsx", file, .. arguments], server.Settings, s_folder, tree: true);
            case "py":
                if (!await Python.CanImportAsync("qstash"))
                    Assert.Skip("Python cannot import qstash: pip install it, or set PYTHONPATH");
                return ChildProcess.Start("python3", [file, .. arguments], server.Settings, s_folder);
            case "cs":
                return ChildProcess.Start("dotnet", [Repository.Built("examples/dotnet", "Examples.dll"), example, .. arguments], server.Settings);
            default:
                return ChildProcess.Start("bash", [file, .. arguments], server.Settings, s_folder);
        }
    }

    private static string Compact(string json) => JsonNode.Parse(json)!.ToJsonString();

    private sealed record OwnServer(RunningHost Host, DataStore Data) : IAsyncDisposable
    {
        public WireClient Wire => new(Host);

        public Dictionary<string, string?> Settings => new()
        {
            ["QSTASH_URL"] = Host.Url.GetLeftPart(UriPartial.Authority), ["QSTASH_TOKEN"] = Host.Credentials.Token,
            ["QSTASH_CURRENT_SIGNING_KEY"] = Host.Credentials.CurrentSigningKey, ["QSTASH_NEXT_SIGNING_KEY"] = Host.Credentials.NextSigningKey,
        };

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            await Data.DisposeAsync();
        }
    }
}
