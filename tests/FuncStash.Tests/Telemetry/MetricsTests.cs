
namespace FuncStash.Tests.Telemetry;

public sealed class MetricsTests
{
    [Fact]
    public async Task Each_step_of_a_message_is_measured_once()
    {
        await using var service = new TestService();
        await using var destination = await TestDestination.StartAsync();
        destination.Status = (path, retried) => path == "/hook" && retried == 0 ? 503 : 200;
        using var listening = new Listening();

        await service.PublishAsync(destination.Url("/hook"), "", ("Upstash-Retry-Delay", "1500"), ("Upstash-Deduplication-Id", "a"));
        await service.CallAsync("POST", "/v2/publish/" + destination.Url("/hook"), "", null, ("Upstash-Deduplication-Id", "a"));
        await service.DeliverDueAsync();
        service.Time.Advance(TimeSpan.FromMilliseconds(1500));
        await service.DeliverDueAsync();

        Assert.Equal(
            [
                "funcstash.messages.published 1 {message} funcstash.message.kind=url",
                "funcstash.messages.retried 1 {retry} funcstash.message.kind=url",
                "funcstash.attempt.duration 0 s funcstash.message.kind=url http.response.status_code=503 error.type=503",
                "funcstash.messages.delivered 1 {message} funcstash.message.kind=url",
                "funcstash.delivery.latency 1.5 s funcstash.message.kind=url",
                "funcstash.attempt.duration 0 s funcstash.message.kind=url http.response.status_code=200",
            ],
            listening.Measurements);
    }

    [Fact]
    public async Task A_message_that_fails_for_good_is_a_dead_letter_and_its_callback_a_message_of_its_kind()
    {
        await using var service = new TestService();
        await using var destination = await TestDestination.StartAsync();
        var gone = destination.Url("/hook");
        await destination.DisposeAsync();
        using var listening = new Listening();

        await service.PublishAsync(gone, "", ("Upstash-Retries", "0"), ("Upstash-Failure-Callback", gone), ("Upstash-Failure-Callback-Delay", "1h"));
        await service.DeliverDueAsync();

        Assert.Equal(
            [
                "funcstash.messages.published 1 {message} funcstash.message.kind=url",
                "funcstash.messages.failed 1 {message} funcstash.message.kind=url",
                "funcstash.dead_letters 1 {message} funcstash.message.kind=url",
                "funcstash.messages.published 1 {message} funcstash.message.kind=callback",
                "funcstash.attempt.duration 0 s funcstash.message.kind=url error.type=no_response",
            ],
            listening.Measurements);
    }

    [Fact]
    public async Task A_cancelled_message_is_counted_once_and_one_that_ended_is_not()
    {
        await using var service = new TestService();
        await using var destination = await TestDestination.StartAsync();
        var waiting = await service.PublishAsync(destination.Url("/hook"), "", ("Upstash-Delay", "1h"));
        var ended = await service.PublishAsync(destination.Url("/hook"));
        await service.DeliverDueAsync();
        using var listening = new Listening();

        foreach (var id in (string[])[waiting, waiting, ended])
            await service.CallAsync("DELETE", "/v2/messages/" + id);

        Assert.Equal(["funcstash.messages.cancelled 1 {message} funcstash.message.kind=url"], listening.Measurements);
    }
}
