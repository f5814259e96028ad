using System.Text;
using FuncStash.Http;
using FuncStash.Messages;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Tests.Http;

/// <summary>Requests with a large body hold up nobody else's, and arrive as they were sent.</summary>
public sealed class LargeBodyTests
{
    [Theory]
    [InlineData(1_000, null, true)]
    [InlineData(50_000_000, null, false)]
    [InlineData(50_000_000, 50_000_000L, false)]
    public async Task The_thread_that_waits_for_sockets_goes_on_once_a_large_body_is_there(int size, long? length, bool staysOnIt)
    {
        using var body = new LateBody(size, size);
        var reading = ReadAsync(body, length);

        var sockets = new Thread(body.Arrive);
        sockets.Start();
        var after = await reading;
        // What follows a small body goes on there, this test too: it would wait for itself.
        await Task.Yield();

        sockets.Join();
        Assert.Equal(staysOnIt, after == sockets.ManagedThreadId);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(5_000_000L)]
    public async Task That_thread_does_not_read_on_while_more_and_more_of_a_large_body_is_there(long? length)
    {
        const int Piece = 1000;
        using var body = new LateBody(5_000_000, Piece);
        var reading = ReadAsync(body, length);

        var sockets = new Thread(body.Arrive);
        sockets.Start();
        await reading;

        sockets.Join();
        Assert.InRange(body.Threads.Count(thread => thread == sockets.ManagedThreadId), 0, (16 * 1024 / Piece) + 1);
        Assert.InRange(body.Threads.Count, 5_000_000 / Piece, (5_000_000 / Piece) + 1);
    }

    [Theory]
    [InlineData("plain, Größe 10 €", "plain, Größe 10 €")]
    [InlineData("""line\n \"quoted\" \u20ac \ud83d\ude00""", "line\n \"quoted\" € 😀")]
    [InlineData("", "")]
    public async Task The_payload_of_an_item_is_the_text_that_its_JSON_says(string json, string text)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync("POST", "/v2/batch", $$"""[{"destination":"https://example.com/","body":"{{json}}"}]""");

        Assert.Equal(200, answer.Status);
        var stored = await service.MessageAsync((string)answer.Json[0]!["messageId"]!);
        Assert.Equal(text, Encoding.UTF8.GetString(await service.Get<MessageStore>().BodyAsync(stored!.Message)));
    }

    [Theory]
    [InlineData("\"half \\ud83d\"")]
    [InlineData("17")]
    public async Task A_payload_that_is_no_text_is_refused_by_name(string json)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync("POST", "/v2/batch", $$"""[{"destination":"https://example.com/","body":{{json}}}]""");

        Assert.Equal(200, answer.Status);
        Assert.StartsWith("invalid JSON body: body must be a string", (string?)answer.Json[0]!["error"], StringComparison.Ordinal);
    }

    private static async Task<int> ReadAsync(LateBody body, long? length)
    {
        var context = new DefaultHttpContext();
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/v2/batch";
        (context.Request.Body, context.Request.ContentLength) = (body, length);
        var call = new ApiCall(context, RequestTarget.Of(context), [], TokenInHeader: true);
        Assert.Equal(body.Length, (await call.BodyAsync(100_000_000).ConfigureAwait(false)).Length);
        return Environment.CurrentManagedThreadId;
    }

    /// <summary>
    /// A body whose bytes come on a thread of the test's, and whose reader goes on there, as with inline completions. From then on all
    /// of it is there, a piece at each read.
    /// </summary>
    private sealed class LateBody(int size, int piece) : MemoryStream(new byte[size])
    {
        private readonly TaskCompletionSource _arrival = new();

        /// <summary>Those that asked for more, a thread for each time.</summary>
        public List<int> Threads { get; } = [];

        public void Arrive() => _arrival.SetResult();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Threads.Add(Environment.CurrentManagedThreadId);
            await _arrival.Task.ConfigureAwait(false);
            return Read(buffer.Span[..Math.Min(buffer.Length, piece)]);
        }
    }
}
