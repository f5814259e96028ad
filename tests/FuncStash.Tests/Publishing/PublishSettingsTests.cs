using CsCheck;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Tests.Publishing;

public sealed class PublishSettingsTests
{
    private static readonly FuncStashOptions s_options = new();

    private static PublishSettings Read(params (string Name, string Value)[] headers)
    {
        var reader = new PublishSettingsReader(s_options);
        foreach (var (name, value) in headers)
            reader.Read(name, value);
        return reader.ToSettings();
    }

    private static string Refusal(params (string Name, string Value)[] headers)
    {
        var refusal = Assert.Throws<QStashException>(() => Read(headers));
        Assert.Equal(400, refusal.Status);
        return refusal.Message;
    }

    [Fact]
    public void Every_option_is_read_whatever_the_case_of_its_name()
    {
        var settings = Read(
            ("upstash-method", "put"), ("UPSTASH-RETRIES", " 5 "), ("Upstash-Retry-Delay", "1000 * (1 + retried)"),
            ("Upstash-Timeout", "1.5s"), ("Upstash-Delay", "1d10h30m"), ("Upstash-Not-Before", "1767225600"),
            ("Upstash-Label", "a, b ,,c"), ("Upstash-Deduplication-Id", "once"), ("Upstash-Content-Based-Deduplication", "True"),
            ("Upstash-Redact-Fields", "body, header[X-Key]"), ("Upstash-Flow-Control-Key", "k"),
            ("Upstash-Flow-Control-Value", "parallelism=3, rate=5, period=1m"), ("Content-Type", "text/plain"),
            ("Upstash-Forward-test-header", "v"), ("Upstash-Telemetry-Sdk", "ignored"), ("Accept", "ignored"));

        Assert.Equal("PUT", settings.Method);
        Assert.Equal(5, settings.Retries);
        Assert.Equal("1000 * (1 + retried)", settings.RetryDelay);
        Assert.Equal(TimeSpan.FromSeconds(1.5), settings.Timeout);
        Assert.Equal(new TimeSpan(1, 10, 30, 0), settings.Delay);
        Assert.Equal(1_767_225_600, settings.NotBefore);
        Assert.Equal(["a", "b", "c"], settings.Labels!);
        Assert.Equal("once", settings.DeduplicationId);
        Assert.True(settings.ContentBasedDeduplication);
        Assert.Equal("body, header[X-Key]", settings.Redact);
        Assert.Equal(new FlowControlSettings("k", 5, 3, 60), settings.FlowControl);
        Assert.Equal(["Test-Header", "Content-Type"], settings.Header.Select(h => h.Key));
    }

    // What a setting that is no part of a message is for, its own code tells.
    private static readonly string[] s_notOfTheMessage =
        ["ForwardsAllHeaders", "DeduplicationId", "ContentBasedDeduplication", "ForCallback", "ForFailureCallback", "QueueName", "Cron", "ScheduleId", "Workflow"];

    [Fact]
    public void Every_setting_of_a_message_reaches_it_and_every_other_leaves_it_alone()
    {
        var some = new HeaderMap();
        some.Set("X", "1");
        var given = new PublishSettings
        {
            Method = "PUT", Header = some, ForwardsAllHeaders = true, Retries = 7, RetryDelay = "1000", Timeout = TimeSpan.FromSeconds(5),
            Delay = TimeSpan.FromSeconds(9), NotBefore = 1_800_000_000, Callback = new CallbackSettings("https://a.example/", some),
            FailureCallback = new CallbackSettings("https://b.example/", some), ForCallback = some, ForFailureCallback = some, Labels = ["l"],
            FlowControl = new FlowControlSettings("k", 1, 2, 3), DeduplicationId = "d", ContentBasedDeduplication = true, Redact = "body",
            QueueName = "q", Cron = "* * * * *", ScheduleId = "s", Workflow = new RunHeaders { RunId = "r" },
        };
        var message = new Message { Id = MessageId.Create(1_000_000, 0, 1), Url = "https://c.example/", NotBefore = 1_000_000 };
        foreach (var property in typeof(PublishSettings).GetProperties())
        {
            var one = new PublishSettings();
            Assert.False(Equals(property.GetValue(one), property.GetValue(given)), property.Name);
            property.SetValue(one, property.GetValue(given));

            Assert.True(s_notOfTheMessage.Contains(property.Name) == (one.ApplyTo(message, 1_000_000) == message), property.Name);
        }
        Assert.Equal(message, new PublishSettings().ApplyTo(message, 1_000_000));
    }

    [Theory]
    [InlineData("0s", null)]
    [InlineData("0", null)]
    [InlineData("0m0s", null)]
    [InlineData("1us", 1L)]
    [InlineData("1ns", 1L)]
    [InlineData("1.5ms", 2L)]
    [InlineData("30", 30_000L)]
    public void A_timeout_of_zero_asks_for_the_services_limit_and_any_other_is_at_least_a_millisecond(string value, long? milliseconds)
    {
        // A limit that a message had before must not stay.
        var message = new Message { Url = "https://a.example/", TimeoutMs = 7 };
        Assert.Equal(milliseconds, Read(("Upstash-Timeout", value)).ApplyTo(message, 0).TimeoutMs);
        Assert.Equal(7, Read().ApplyTo(message, 0).TimeoutMs);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1ns", 1)]
    [InlineData("999us", 1)]
    [InlineData("1.5ms", 2)]
    [InlineData("2ms", 2)]
    public void A_delay_is_never_cut_to_a_shorter_one(string value, long milliseconds) =>
        Assert.Equal(1_000 + milliseconds, Read(("Upstash-Delay", value)).DueAt(1_000));

    [Fact]
    public void Callback_settings_become_those_of_a_publish_to_the_callback()
    {
        var settings = Read(
            ("Upstash-Callback", "https://a.example/ok"), ("Upstash-Callback-Retries", "1"),
            ("Upstash-Callback-Forward-X", "y"), ("Upstash-Callback-Failure-Callback", "https://a.example/cb-failed"),
            ("Upstash-Failure-Callback", "https://a.example/failed"), ("Upstash-Failure-Callback-Method", "PUT"));

        Assert.Equal("https://a.example/ok", settings.Callback!.Url);
        var callback = PublishSettingsReader.Parse(settings.Callback.Settings, s_options);
        Assert.Equal(1, callback.Retries);
        Assert.Equal(["y"], callback.Header["X"]!);
        Assert.Equal("https://a.example/cb-failed", callback.FailureCallback!.Url);
        Assert.Equal("https://a.example/failed", settings.FailureCallback!.Url);
        Assert.Equal("PUT", PublishSettingsReader.Parse(settings.FailureCallback.Settings, s_options).Method);
    }

    [Theory]
    [InlineData("Upstash-Method", "TRACE")]
    [InlineData("Upstash-Retries", "-1")]
    [InlineData("Upstash-Retries", "2000000000")]
    [InlineData("Upstash-Retries", "three")]
    [InlineData("Upstash-Delay", "-5s")]
    [InlineData("Upstash-Delay", "99999999d")]
    [InlineData("Upstash-Delay", "soon")]
    [InlineData("Upstash-Not-Before", "-1")]
    [InlineData("Upstash-Not-Before", "99999999999999")]
    [InlineData("Upstash-Timeout", "x")]
    [InlineData("Upstash-Retry-Delay", "pow(2")]
    [InlineData("Upstash-Redact-Fields", "everything")]
    [InlineData("Upstash-Content-Based-Deduplication", "maybe")]
    [InlineData("Upstash-Flow-Control-Key", "a b")]
    [InlineData("Upstash-Queue-Name", "a/b")]
    [InlineData("Upstash-Callback", "ftp://a.example")]
    [InlineData("Upstash-Failure-Callback", "nowhere")]
    [InlineData("Upstash-Label", "a\u0007b")]
    [InlineData("Upstash-Forward-X", "line\nbreak")]
    [InlineData("Upstash-Forward-X", "\u5BF8")] // no byte
    [InlineData("Upstash-Deduplication-Id", "caf\u00e9")] // a byte that is no UTF-8
    public void A_value_that_means_nothing_is_refused_under_its_name(string name, string value) =>
        Assert.Contains(name, Refusal((name, value)), StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void A_callback_is_refused_for_what_its_own_publish_would_be_refused_for() =>
        Assert.Contains("Upstash-Callback", Refusal(("Upstash-Callback", "https://a.example"), ("Upstash-Callback-Retries", "x")), StringComparison.Ordinal);

    [Theory]
    [InlineData("Upstash-Callback-Retries", "x")]
    [InlineData("Upstash-Failure-Callback-Timeout", "soon")]
    public void So_it_is_without_a_callback(string name, string value)
    {
        var headers = new HeaderMap();
        headers.Add(name, value);

        var refusal = Assert.Throws<QStashException>(() => PublishSettingsReader.ParseNew(headers, s_options)).Message;

        Assert.StartsWith(name.StartsWith("Upstash-F", StringComparison.Ordinal) ? "Upstash-Failure-Callback: " : "Upstash-Callback: ", refusal, StringComparison.Ordinal);
        // But not where it was accepted before, as with a URL group.
        Assert.Null(PublishSettingsReader.Parse(headers, s_options).Callback);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("x")]
    public void Callbacks_of_callbacks_as_deep_as_a_name_is_long_harm_nobody(string value)
    {
        var headers = new HeaderMap();
        headers.Add("Upstash-" + string.Concat(Enumerable.Repeat("Callback-", 6_000)) + "Retries", value);

        Assert.Null(PublishSettingsReader.ParseNew(headers, s_options).Callback);
    }

    [Fact]
    public void Without_a_callback_its_settings_mean_nothing() =>
        Assert.Null(Read(("Upstash-Callback-Retries", "1"), ("Upstash-Callback-Unheard-Of", "x")).Callback);

    [Fact]
    public void Flow_control_needs_both_headers()
    {
        Assert.Contains("together", Refusal(("Upstash-Flow-Control-Key", "k")), StringComparison.Ordinal);
        Assert.Contains("together", Refusal(("Upstash-Flow-Control-Value", "rate=1")), StringComparison.Ordinal);
    }

    [Fact]
    public void Not_before_beats_delay_and_the_past_means_now()
    {
        const long Now = 1_000_000;
        Assert.Equal(2_000_000, new PublishSettings { NotBefore = 2_000, Delay = TimeSpan.FromHours(1) }.DueAt(Now));
        Assert.Equal(Now, new PublishSettings { NotBefore = 5 }.DueAt(Now));
        Assert.Equal(Now + 3_600_000, new PublishSettings { Delay = TimeSpan.FromHours(1) }.DueAt(Now));
        Assert.Equal(Now, new PublishSettings().DueAt(Now));
    }

    [Fact]
    public void Random_headers_are_read_or_refused_but_never_crash()
    {
        string[] names =
        [
            "Method", "Retries", "Retry-Delay", "Timeout", "Delay", "Not-Before", "Label", "Deduplication-Id", "Redact-Fields",
            "Content-Based-Deduplication", "Flow-Control-Key", "Flow-Control-Value", "Header-Forward", "Queue-Name", "Cron",
            "Schedule-Id", "Forward-", "Forward-X", "Callback", "Callback-", "Callback-Retries", "Callback-Callback-Callback",
            "Failure-Callback", "Failure-Callback-Forward-Y", "", "-", "Unknown",
        ];
        string[] values = ["", "true", "GET", "https://a.example", "rate=1"];
        var value = Gen.OneOf(Gen.String, Gen.String["0123456789smhd.,-()* "], Gen.Int[0, values.Length - 1].Select(i => values[i]));
        var header = Gen.Select(Gen.Int[0, names.Length - 1], value, (name, text) => ("Upstash-" + names[name], text));
        header.Array[0, 6].Sample(headers =>
        {
            try
            {
                var settings = Read(headers);
                // What was accepted is fit to be sent.
                foreach (var (name, values) in settings.Header)
                    Assert.True(HeaderName.IsValid(name) && values.All(HeaderValue.IsValid));
            }
            catch (QStashException refusal)
            {
                Assert.Equal(400, refusal.Status);
                Assert.NotEmpty(refusal.Message);
            }
        });
    }

    [Fact]
    public void Weaker_settings_fill_what_the_stronger_leave_open()
    {
        var own = Read(("Upstash-Retries", "1"), ("Upstash-Forward-A", "own"));
        var group = Read(("Upstash-Retries", "9"), ("Upstash-Delay", "5s"), ("Upstash-Forward-A", "group"), ("Upstash-Forward-B", "group"));

        var both = own.Or(group);

        Assert.Equal(1, both.Retries);
        Assert.Equal(TimeSpan.FromSeconds(5), both.Delay);
        Assert.Equal(["own"], both.Header["A"]!);
        Assert.Equal(["group"], both.Header["B"]!);
        Assert.Null(own.Header["B"]);
    }
}
