using FuncStash.DeadLetters;
using FuncStash.Settings;

namespace FuncStash.Tests.Publishing;

/// <summary>Nothing waits longer than the limit, wherever the time stands that it is not to come before (protocol#limits).</summary>
public sealed class LongestDelayTests : IAsyncDisposable
{
    private const string Target = "https://example.com";

    private readonly TestService _service = new(new FuncStashOptions { MaxDelay = TimeSpan.FromDays(10) });

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    private string In(int days, int seconds = 0) => $"{(_service.Now / 1000) + (days * 86_400) + seconds}";

    private async Task<string> RefusalAsync(string call, string? body, params (string, string)[] headers)
    {
        var answer = await _service.CallAsync("POST", call, body ?? "", null, headers);
        Assert.True(answer.Status == 400, answer.Text);
        return answer.Error;
    }

    [Fact]
    public async Task A_message_and_its_callbacks_are_held_to_it()
    {
        const string Error = "invalid Upstash-Not-Before: at most 10 days ahead";
        (string, string)[] callbacks = [("Upstash-Callback", Target), ("Upstash-Failure-Callback", Target)];

        Assert.Equal(Error, await RefusalAsync("/v2/publish/" + Target, null, ("Upstash-Not-Before", In(10, 1))));
        Assert.Equal("Upstash-Callback: " + Error, await RefusalAsync(
            "/v2/publish/" + Target, null, [.. callbacks, ("Upstash-Callback-Not-Before", In(10, 1))]));
        Assert.Equal("Upstash-Failure-Callback: " + Error, await RefusalAsync(
            "/v2/schedules/" + Target, null, [.. callbacks, ("Upstash-Cron", "* * * * *"), ("Upstash-Failure-Callback-Not-Before", In(10, 1))]));
        Assert.Equal("Upstash-Callback: Upstash-Failure-Callback: " + Error, await RefusalAsync(
            "/v2/publish/" + Target, null,
            [.. callbacks, ("Upstash-Callback-Failure-Callback", Target), ("Upstash-Callback-Failure-Callback-Not-Before", In(10, 1))]));
        var headers = $$"""{"Upstash-Callback":"{{Target}}","Upstash-Callback-Not-Before":"{{In(11)}}"}""";
        var batch = await _service.CallAsync(
            "POST", "/v2/batch", $$"""[{"destination":"{{Target}}","headers":{{headers}} },{"destination":"{{Target}}"}]""");
        Assert.Equal("Upstash-Callback: " + Error, (string?)batch.Json[0]!["error"]);
        Assert.NotNull(batch.Json[1]!["messageId"]);

        await _service.PublishAsync(
            Target, "", [.. callbacks, ("Upstash-Not-Before", In(10)), ("Upstash-Callback-Not-Before", In(10)), ("Upstash-Failure-Callback-Not-Before", "1")]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task So_is_the_retry_of_a_dead_letter_which_stays_as_it_was(bool isBulk)
    {
        var id = await _service.AddDeadLetterAsync(_service.NewMessage(Target));
        var call = isBulk ? $"/v2/dlq/retry?dlqIds={id}" : $"/v2/dlq/retry/{id}";

        Assert.Equal("invalid Upstash-Not-Before: at most 10 days ahead", await RefusalAsync(call, null, ("Upstash-Not-Before", In(10, 1))));
        Assert.Equal(
            "Upstash-Failure-Callback: invalid Upstash-Not-Before: at most 10 days ahead",
            await RefusalAsync(call, null, ("Upstash-Failure-Callback", Target), ("Upstash-Failure-Callback-Not-Before", In(11))));
        Assert.Null((await _service.Get<DeadLetterStore>().GetAsync(id))!.RetryId);

        Assert.Equal(201, (await _service.CallAsync("POST", call, "", null, ("Upstash-Not-Before", In(10)))).Status);
    }
}
