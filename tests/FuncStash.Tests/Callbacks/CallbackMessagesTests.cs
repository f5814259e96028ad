using FuncStash.Callbacks;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Tests.Callbacks;

public sealed class CallbackMessagesTests
{
    [Fact]
    public void A_callback_that_was_accepted_goes_out_although_an_operator_lowered_the_limits_since()
    {
        var settings = new HeaderMap();
        settings.Add("Upstash-Retries", "5");
        settings.Add("Upstash-Delay", "10d");
        var source = new Message
        {
            Id = MessageId.Create(1_000_000, 0, 1),
            Url = "https://a.example",
            Callback = new CallbackSettings("https://a.example/done", settings),
        };
        var options = new FuncStashOptions { MaxRetries = 0, MaxDelay = TimeSpan.FromSeconds(1) };

        var callback = Assert.Single(
            CallbackMessages.Of(source, [], 0, new AttemptOutcome.NoResponse("refused"), null, 2_000_000, options));

        Assert.Equal(5, callback.MaxRetries);
        Assert.Equal(2_000_000 + (long)TimeSpan.FromDays(10).TotalMilliseconds, callback.NotBefore);
    }
}
