using CsCheck;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Retries;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Tests.Fuzzing;

/// <summary>Whatever is written in a value, its reader takes it or says what is wrong with it, and what it took can be used.</summary>
public sealed class ReaderFuzzTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly FuncStashOptions s_options = new();

    [Fact]
    public Task Crons() => PlayAsync(
        FuzzText.Near(
            "* * * * *", "*/60 0-10 * * 1-5", "0 0 */1 * 1", "0 9 1,15 * MON-FRI", "CRON_TZ=America/New_York 30 2 8 3 *", "@every 1h30m", "@daily", "0 0 29 2 *",
            "22-2 L * 5#3", "? ? ? ? ?"),
        text =>
        {
            if (!CronTimes.TryParse(text, out var times, out var error, s_now.ToUnixTimeMilliseconds()))
            {
                AssertSays(error);
                return;
            }
            var at = s_now.ToUnixTimeMilliseconds();
            for (var i = 0; i < 3 && times.NextAfter(at) is { } next; i++)
            {
                Assert.True(next > at, $"{next} is not after {at}");
                at = next;
            }
        });

    [Fact]
    public Task Retry_delays() => PlayAsync(
        FuzzText.Near(
            "1000", "pow(2, retried) * 1000", "max(1, min(retried, 5)) - -3", "floor(exp(retried) / 3.5)", "((retried+1)*(retried+1))", "sqrt(abs(0-retried))", "1e3"),
        text =>
        {
            if (!RetryDelayExpression.TryParse(text, out var expression, out var error))
            {
                AssertSays(error);
                return;
            }
            foreach (var retried in (int[])[0, 1, 7, 1_000_000])
                Assert.InRange(expression.Delay(retried), TimeSpan.Zero, Backoff.Max);
        });

    [Fact]
    public Task Durations_dates_and_limits() => PlayAsync(
        FuzzText.Near(
            "10s", "1d2h3m4s", "5", "1.5h", "parallelism=2, rate=5, period=1m", "rate=10", "Fri, 31 Dec 1999 23:59:59 GMT", "1, 1", "1772366400", "2026-03-01T12:00:00Z",
            "body,header[Authorization]", "remaining;reset=3", "\"default\";r=0;t=7", "abc-D_e.f"),
        text =>
        {
            if (DurationText.TryParse(text, out var duration))
                Assert.True(duration >= TimeSpan.Zero);
            if (!FlowControlValue.TryParse(text, out _, out var limits))
                AssertSays(limits);
            if (!RedactFields.TryParse(text, out _, out var fields))
                AssertSays(fields);
            if (RetryAfter.Parse(_ => [text, "", text], s_now) is { } wait)
                Assert.True(wait >= TimeSpan.Zero);
            _ = ResourceName.IsValid(text);
            _ = HttpUrl.IsValid(text, out _);
        });

    [Fact]
    public Task Ids_and_destinations() => PlayAsync(
        FuzzText.Near(
            "msg_26hZCxZCuWyyTWPmSVBrNC1RADwpKBYTAcWbMw", MessageId.Create(1_772_366_400_000, 1, 7).ToString(), "https://example.com/hook?upstash-delay=1s&a=b#c",
            "http://127.0.0.1:3000/ä?x=%20", "my-group", "https:/example.com/one-slash", "example.com", "api/llm/v1/chat"),
        text =>
        {
            if (MessageId.TryParse(text, out var id))
                Assert.Equal(text, id.ToString());
            _ = Refusable(() => DestinationPath.Split(text));
        });

    [Fact]
    public Task Settings() => PlayAsync(
        Gen.Select(FuzzText.Near([.. HeaderTable.Settings.Select(header => header.Name), "Upstash-Callback-Retries", "Upstash-Failure-Callback-Forward-X", "Upstash-Forward-X"]), s_value)
            .Array[1, 4],
        headers =>
        {
            var map = new HeaderMap();
            foreach (var (name, value) in headers.Where(header => HeaderName.IsValid(header.Item1)))
                map.Add(name, value);
            _ = Refusable(() => PublishSettingsReader.Parse(map, s_options));
        });

    private static readonly Gen<string> s_value = FuzzText.Near(
        "GET", "3", "10s", "1772366400", "true", "a,b", "key", "rate=1", "id", "body", "https://example.com/cb", "1000 * retried", "* * * * *");

    private static Task PlayAsync<T>(Gen<T> inputs, Action<T> play) => FuzzRun.PlayAsync(inputs, FuzzRun.Count(20_000), input =>
    {
        play(input);
        return default;
    });

    private static void AssertSays(string error) => Assert.InRange(error.Length, 5, 10_000);

    /// <summary>A refusal is a 4xx that says something.</summary>
    private static T? Refusable<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (QStashException refusal)
        {
            Assert.InRange(refusal.Status, 400, 499);
            AssertSays(refusal.Message);
            return default;
        }
    }
}
