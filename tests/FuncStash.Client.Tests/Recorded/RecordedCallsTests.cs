using System.Text;

namespace FuncStash.Client.Tests.Recorded;

/// <summary>The same calls make the same requests as the official SDK's: method, path, query, headers and body.</summary>
public sealed class RecordedCallsTests
{
    // What the client must be able to read, where the recording needed nothing.
    private static readonly Dictionary<string, string> s_answers = new()
    {
        ["GET /v2/messages/msg_1"] = """{"messageId":"msg_1","url":"https://a.example.com"}""",
        ["DELETE /v2/messages"] = """{"cancelled":0}""",
        ["DELETE /v2/dlq"] = """{"deleted":0}""",
        ["GET /v2/schedules/nightly"] = """{"scheduleId":"nightly","cron":"* * * * *","destination":"orders"}""",
        ["GET /v2/queues/mail"] = """{"name":"mail"}""",
        ["GET /v2/topics/orders"] = """{"name":"orders","endpoints":[]}""",
        ["GET /v2/flowControl/acme"] = """{"flowControlKey":"acme"}""",
    };

    public static TheoryData<string> Names => [.. Call.All.Select(call => call.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_call_makes_the_request_the_SDK_makes(string name)
    {
        var expected = Call.All.Single(call => call.Name == name);
        await using var listener = await Receiver.StartAsync();
        listener.Otherwise = request => Answer.Of(200, AnswerTo(request));
        var client = new QStashClient(new QStashClientOptions
        {
            // Without retries no deduplication ids are made up, which the SDK does not do.
            BaseUrl = new Uri(listener.BaseUrl), Token = "the-token", Retry = { MaxRetries = 0 },
        });

        await SameCalls.All[name](client);

        var request = Assert.Single(listener.All);
        Assert.Equal(expected.Method, request.Method);
        Assert.Equal(PathOf(expected.Target), PathOf(request.Target));
        Assert.Equal(QueryOf(expected.Target), QueryOf(request.Target));
        Assert.Equal(expected.Headers, MeaningOf(request.Headers));
        Assert.Equal(expected.Bytes, request.Body);
    }

    [Fact]
    public void Every_recorded_call_is_compared() =>
        Assert.Equal(Call.All.Select(call => call.Name).Order(), SameCalls.All.Keys.Order());

    private static string AnswerTo(ReceivedRequest request) =>
        s_answers.GetValueOrDefault($"{request.Method} {PathOf(request.Target)}") ?? PathOf(request.Target) switch
        {
            "/v2/batch" => $"[{string.Join(',', Enumerable.Repeat("""{"messageId":"msg_1"}""", request.Text.Split("\"destination\"").Length - 1))}]",
            "/v2/queues" or "/v2/topics" or "/v2/schedules" when request.Method == "GET" => "[]",
            _ when EndsInDestination(request.Target) => """{"messageId":"msg_1"}""",
            var path when path.StartsWith("/v2/schedules/", StringComparison.Ordinal) => """{"scheduleId":"scd_1"}""",
            _ => "{}",
        };

    private static string PathOf(string target) => EndsInDestination(target) ? target : target.Split('?')[0];

    private static bool EndsInDestination(string target) =>
        target.StartsWith("/v2/publish/", StringComparison.Ordinal) || target.StartsWith("/v2/enqueue/", StringComparison.Ordinal);

    // Of a call's own parameters the order says nothing, nor how a space is escaped.
    private static IEnumerable<string> QueryOf(string target) =>
        EndsInDestination(target) || !target.Contains('?') ? [] : target.Split('?')[1].Split('&').Select(part => Uri.UnescapeDataString(part.Replace('+', ' '))).Order(StringComparer.Ordinal);

    private static Dictionary<string, string> MeaningOf(ILookup<string, string> headers) => headers
        .Select(header => (Name: header.Key, Value: Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(header.Single()))))
        .Where(header => header.Name is "authorization" or "content-type" || header.Name.StartsWith("upstash-", StringComparison.Ordinal))
        .ToDictionary(header => header.Name, header => header.Value);
}
