using System.Text;
using System.Text.Json.Nodes;
using FuncStash.Callbacks;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Tests.Callbacks;

/// <summary>A callback is no bigger than a message may be, and says what of it is missing (protocol#callback-body).</summary>
public sealed class CallbackBodyTests
{
    private static readonly FuncStashOptions s_options = new();

    [Theory]
    [InlineData(0, 0, false, false)]
    [InlineData(1_000, 1_000, false, false)]
    [InlineData(700_000, 50_000, false, false)]
    [InlineData(900_000, 0, true, false)]
    [InlineData(900_000, 10, true, false)]
    [InlineData(10, 900_000, false, true)]
    [InlineData(900_000, 900_000, true, true)]
    [InlineData(1_048_576, 1_048_576, true, true)]
    public void Bodies_that_do_not_fit_are_cut_and_marked(int source, int answer, bool isSourceCut, bool isAnswerCut)
    {
        var (given, came) = (Bytes(source, 1), Bytes(answer, 2));

        var (json, size) = Read(given, new AttemptOutcome.Response(200, HeaderMap.Empty, came));

        Assert.InRange(size, 0, s_options.MaxBodyBytes);
        AssertPart(json, "sourceBody", given, isSourceCut);
        AssertPart(json, "body", came, isAnswerCut);
        Assert.Null(json["headerTruncated"]);
        // No more is missing than must be.
        if (isSourceCut || isAnswerCut)
            Assert.InRange(size, s_options.MaxBodyBytes - 1_000, s_options.MaxBodyBytes);
    }

    [Fact]
    public void An_answer_that_was_cut_before_or_had_too_many_headers_is_marked_too()
    {
        var header = new HeaderMap();
        for (var i = 0; i < 50; i++)
            header.Set($"X-{i}", new string('v', 1_000));

        var (json, size) = Read(Bytes(900_000, 1), new AttemptOutcome.Response(500, header, Bytes(10, 2)) { IsBodyCut = true });

        Assert.InRange(size, 0, s_options.MaxBodyBytes);
        Assert.True((bool?)json["bodyTruncated"]);
        Assert.True((bool?)json["headerTruncated"]);
        Assert.True((bool?)json["sourceBodyTruncated"]);
        Assert.InRange(json["header"]!.AsObject().Count, 1, 49);
    }

    [Fact]
    public async Task The_callback_of_a_message_of_900_kB_arrives()
    {
        var received = new List<string>();
        await using var service = new TestService();
        await using var destination = await StandIn.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync();
            if (context.Request.Path == "/done")
                received.Add(body);
        });

        await service.PublishAsync(destination.Url + "/hook", new string('x', 900_000), ("Upstash-Callback", destination.Url + "/done"));
        await service.DeliverDueAsync();

        var callback = Assert.Single(received);
        Assert.InRange(Encoding.UTF8.GetByteCount(callback), 900_000, s_options.MaxBodyBytes);
        Assert.True((bool?)JsonNode.Parse(callback)!["sourceBodyTruncated"]);
    }

    private static void AssertPart(JsonNode json, string name, byte[] whole, bool isCut)
    {
        var part = Convert.FromBase64String((string)json[name]!);
        Assert.Equal(isCut ? true : null, (bool?)json[name + "Truncated"]);
        Assert.Equal(isCut, part.Length < whole.Length);
        Assert.True(whole.AsSpan().StartsWith(part));
    }

    private static (JsonNode Json, int Size) Read(byte[] body, AttemptOutcome.Response answer)
    {
        var source = new Message { Id = MessageId.Create(1, 0, 1), Url = "https://a.example/" };
        var bytes = CallbackBody.Create(source, body, 0, answer, null, s_options);
        return (JsonNode.Parse(bytes)!, bytes.Length);
    }

    private static byte[] Bytes(int length, byte seed) => Enumerable.Range(0, length).Select(i => (byte)(i * 7 + seed)).ToArray();
}
