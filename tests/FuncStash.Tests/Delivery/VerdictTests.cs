using CsCheck;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Tests.Delivery;

public sealed class VerdictTests
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static Message Message(int retries = 3, string? retryDelay = null) =>
        new() { Url = "https://a.example", MaxRetries = retries, RetryDelay = retryDelay };

    private static AttemptOutcome.Response Answer(int status, params (string Name, string Value)[] headers)
    {
        var map = new HeaderMap();
        foreach (var (name, value) in headers)
            map.Add(name, value);
        return new AttemptOutcome.Response(status, map, []);
    }

    private static TimeSpan WaitOf(Verdict verdict) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Assert.IsType<Verdict.Retry>(verdict).At) - s_now;

    [Fact]
    public void Only_2xx_is_a_delivery() => Gen.Int[100, 599].Sample(status =>
        Assert.Equal(status is >= 200 and <= 299, Verdict.Of(Message(), 0, Answer(status), s_now, random: 0) is Verdict.Delivered));

    [Fact]
    public void Attempts_never_exceed_one_and_the_retries() =>
        Gen.Select(Gen.Int[0, 50], Gen.Int[300, 599]).Sample((retries, status) =>
        {
            var attempts = 0;
            Verdict verdict;
            do
            {
                verdict = Verdict.Of(Message(retries), attempts++, Answer(status), s_now, random: 0);
            }
            while (verdict is Verdict.Retry);
            Assert.IsType<Verdict.Failed>(verdict);
            Assert.Equal(1 + retries, attempts);
        });

    [Fact]
    public void The_wait_is_the_responses_wish_then_the_publishers_then_the_backoff()
    {
        Assert.Equal(TimeSpan.FromSeconds(7), WaitOf(Verdict.Of(Message(3, "1000"), 0, Answer(503, ("Retry-After", "7")), s_now, random: 0)));
        Assert.Equal(TimeSpan.FromSeconds(2), WaitOf(Verdict.Of(Message(3, "1000 * (1 + retried)"), 1, Answer(503), s_now, random: 0)));
        Assert.Equal(TimeSpan.FromMilliseconds(12_183), WaitOf(Verdict.Of(Message(), 0, new AttemptOutcome.NoResponse("refused"), s_now, random: 0)));
    }

    [Fact]
    public void Only_the_backoff_is_spread()
    {
        Assert.Equal(TimeSpan.FromSeconds(7), WaitOf(Verdict.Of(Message(), 0, Answer(503, ("Retry-After", "7")), s_now, random: 1)));
        Assert.Equal(TimeSpan.FromSeconds(1), WaitOf(Verdict.Of(Message(3, "1000"), 0, Answer(503), s_now, random: 1)));
        Assert.Equal(TimeSpan.FromMilliseconds(12_792), WaitOf(Verdict.Of(Message(), 0, Answer(503), s_now, random: 1)));
    }

    [Theory]
    [InlineData("1ns", null, 1)]
    [InlineData("0.0001", null, 1)]
    [InlineData("1.5ms", null, 2)]
    [InlineData("0", null, 0)]
    [InlineData(null, "0.2", 1)]
    [InlineData(null, "7.01", 8)]
    [InlineData(null, "7", 7)]
    public void A_wait_is_never_cut_to_a_shorter_one(string? wish, string? expression, long milliseconds)
    {
        var answer = wish is null ? Answer(503) : Answer(503, ("Retry-After", wish));
        var now = s_now + TimeSpan.FromMicroseconds(900);

        Assert.Equal(milliseconds, Assert.IsType<Verdict.Retry>(Verdict.Of(Message(3, expression), 0, answer, now, random: 0)).At - now.ToUnixTimeMilliseconds());
    }

    [Fact]
    public void Every_line_of_a_header_is_read()
    {
        var header = new HeaderMap();
        header.Add("Retry-After", "1", "soon", "3", "2");
        var outcome = new AttemptOutcome.Response(429, header, []);
        Assert.Equal(TimeSpan.FromSeconds(3), WaitOf(Verdict.Of(Message(), 0, outcome, s_now, random: 0)));
    }

    [Theory]
    [InlineData(489, "true", true)]
    [InlineData(489, "false", false)]
    [InlineData(500, "true", false)]
    public void Non_retryable_needs_the_status_and_the_header(int status, string value, bool fails) =>
        Assert.Equal(fails, Verdict.Of(Message(), 0, Answer(status, ("Upstash-NonRetryable-Error", value)), s_now, random: 0) is Verdict.Failed);

    [Fact]
    public void The_error_says_what_happened()
    {
        Assert.Equal("destination answered with status 503", Assert.IsType<Verdict.Retry>(Verdict.Of(Message(), 0, Answer(503), s_now, random: 0)).Error);
        Assert.Equal("refused", Assert.IsType<Verdict.Failed>(Verdict.Of(Message(0), 0, new AttemptOutcome.NoResponse("refused"), s_now, random: 0)).Error);
    }
}
