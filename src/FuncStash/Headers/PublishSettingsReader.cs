using System.Collections.Frozen;
using System.Globalization;
using FuncStash.Messages;
using FuncStash.Retries;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Headers;

/// <summary>Reads publish settings; later ones of a name win, forwarded headers add up.</summary>
/// <remarks>A value that means nothing is refused with the header's name, so that no message goes out other than meant.</remarks>
public sealed class PublishSettingsReader(FuncStashOptions options)
{
    private const string Prefix = "Upstash-", Forward = "Forward-", CallbackName = "Callback", FailureName = "Failure-Callback";

    private static readonly FrozenSet<string> s_lists = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "Upstash-Label", "Upstash-Redact-Fields", "Upstash-Flow-Control-Value", "Content-Encoding");

    // What the bytes are: it goes where they go, whether forwarded by name or not.
    private static readonly string[] s_ofTheBody = ["Content-Type", "Content-Encoding"];

    private readonly HeaderMap _forwarded = new();
    private readonly HeaderMap _callback = new();
    private readonly HeaderMap _failure = new();
    private PublishSettings _settings = new();
    private readonly HeaderMap _ofTheBody = new();
    private string? _callbackUrl;
    private string? _failureUrl;
    private string? _flowKey;
    private string? _flowValue;

    /// <summary>True once <c>Upstash-Header-Forward: true</c> was read: the caller passes the other headers to <see cref="ForwardHeader"/>.</summary>
    public bool ForwardsAllHeaders { get; private set; }

    public static bool IsSetting(string name) => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Takes all lines of one header: those of a comma-separated list are one list (RFC 9110 §5.3).</summary>
    public void ReadLines(string name, IReadOnlyList<string?> values)
    {
        if (values.Count > 1 && s_lists.Contains(name))
            Read(name, string.Join(", ", values));
        else
        {
            foreach (var value in values)
                Read(name, value ?? "");
        }
    }

    /// <summary>Takes one header; those that are neither settings nor about the body's form are left alone.</summary>
    public void Read(string name, string value)
    {
        if (!IsSetting(name))
        {
            if (value.Length > 0 && Array.Find(s_ofTheBody, about => about.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } known)
                _ofTheBody.Set(known, Checked(known, value));
            return;
        }
        var setting = name[Prefix.Length..];
        if (setting.StartsWith(Forward, StringComparison.OrdinalIgnoreCase))
            ForwardHeader(setting[Forward.Length..], value);
        else if (setting.StartsWith(FailureName, StringComparison.OrdinalIgnoreCase))
            ReadCallback(name, setting[FailureName.Length..], value, ref _failureUrl, _failure);
        else if (setting.StartsWith(CallbackName, StringComparison.OrdinalIgnoreCase))
            ReadCallback(name, setting[CallbackName.Length..], value, ref _callbackUrl, _callback);
        else
            ReadSetting(setting.ToLowerInvariant(), TextOf(name, value));
    }

    /// <summary>Takes a header that is to reach the destination.</summary>
    public void ForwardHeader(string name, string value)
    {
        if (!HeaderName.IsValid(name))
            throw QStashException.BadRequest($"invalid header name in Upstash-Forward-{name}");
        _forwarded.Add(HeaderName.Canonical(name), Checked("Upstash-Forward-" + name, value));
    }

    public PublishSettings ToSettings()
    {
        foreach (var (name, values) in _ofTheBody)
        {
            if (!_forwarded.Contains(name))
                _forwarded.Set(name, values);
        }
        return _settings with
        {
            Header = _forwarded,
            ForwardsAllHeaders = ForwardsAllHeaders,
            FlowControl = FlowControlOf(_flowKey, _flowValue),
            Callback = CallbackOf("Upstash-Callback", _callbackUrl, _callback),
            FailureCallback = CallbackOf("Upstash-Failure-Callback", _failureUrl, _failure),
        };
    }

    private void ReadSetting(string setting, string value)
    {
        // No expression is none that can be read: a message that was to be sent daily must not go out at once.
        if (value.Length == 0 && setting != "cron")
            return;
        _settings = setting switch
        {
            "method" => _settings with { Method = ReadMethod(value) },
            "retries" => _settings with { Retries = ReadRetries(value) },
            "retry-delay" => _settings with { RetryDelay = ReadRetryDelay(value) },
            "timeout" => _settings with { Timeout = ReadDuration("Upstash-Timeout", value) },
            "delay" => _settings with { Delay = ReadDelay(value) },
            "not-before" => _settings with { NotBefore = ReadNotBefore(value) },
            "label" => _settings with { Labels = ReadLabels(value) },
            "deduplication-id" => _settings with { DeduplicationId = ReadDeduplicationId(value) },
            "content-based-deduplication" => _settings with { ContentBasedDeduplication = ReadFlag(setting, value) },
            "redact-fields" => _settings with { Redact = ReadRedaction(value) },
            "queue-name" => _settings with { QueueName = ReadName("Upstash-Queue-Name", value) },
            "schedule-id" => _settings with { ScheduleId = ReadName("Upstash-Schedule-Id", value) },
            "cron" => _settings with { Cron = value },
            _ => _settings,
        };
        switch (setting)
        {
            case "flow-control-key":
                _flowKey = ReadName("Upstash-Flow-Control-Key", value);
                break;
            case "flow-control-value":
                _flowValue = value;
                break;
            case "header-forward":
                ForwardsAllHeaders = ReadFlag(setting, value);
                break;
        }
    }

    private static void ReadCallback(string name, string rest, string value, ref string? url, HeaderMap settings)
    {
        if (rest.Length == 0)
            url = TextOf(name, value);
        else if (rest[0] == '-')
            settings.Add(HeaderName.Canonical(Prefix + rest[1..]), Checked(name, value));
    }

    private CallbackSettings? CallbackOf(string name, string? url, HeaderMap settings)
    {
        if (string.IsNullOrEmpty(url))
            return null;
        if (!HttpUrl.IsValid(url, out var error))
            throw QStashException.BadRequest($"invalid {name}: {error}");
        // Read now what will be read when the callback goes out, so that nothing is accepted which then fails.
        try
        {
            Parse(settings, options);
        }
        catch (QStashException refusal)
        {
            throw QStashException.BadRequest($"{name}: {refusal.Message}");
        }
        return new CallbackSettings(url, settings);
    }

    public static PublishSettings Parse(HeaderMap headers, FuncStashOptions options)
    {
        var reader = new PublishSettingsReader(options);
        foreach (var (name, values) in headers)
            reader.ReadLines(name, values);
        return reader.ToSettings();
    }

    private static FlowControlSettings? FlowControlOf(string? key, string? value)
    {
        if (key is null && value is null)
            return null;
        if (key is null || value is null)
            throw QStashException.BadRequest("Upstash-Flow-Control-Key and Upstash-Flow-Control-Value must be given together");
        return FlowControlValue.TryParse(value, out var limits, out var error)
            ? new FlowControlSettings(key, limits!.Rate, limits.Parallelism, limits.PeriodSeconds)
            : throw QStashException.BadRequest(error);
    }

    private static string ReadMethod(string value) =>
        value.ToUpperInvariant() is "GET" or "POST" or "PUT" or "PATCH" or "DELETE"
            ? value.ToUpperInvariant()
            : throw QStashException.BadRequest($"invalid Upstash-Method: {value}: must be GET, POST, PUT, PATCH or DELETE");

    private int ReadRetries(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var retries) && retries <= options.MaxRetries
            ? retries
            : throw QStashException.BadRequest($"invalid Upstash-Retries: {value}: must be a number from 0 to {options.MaxRetries}");

    private static string ReadRetryDelay(string value) =>
        RetryDelayExpression.TryParse(value, out _, out var error)
            ? value
            : throw QStashException.BadRequest($"invalid {error}");

    private static TimeSpan ReadDuration(string name, string value) =>
        DurationText.TryParse(value, out var duration)
            ? duration
            : throw QStashException.BadRequest($"invalid {name}: {value}: must be a duration such as 50s, 3m, 10h or 1d10h30m");

    private TimeSpan ReadDelay(string value)
    {
        var delay = ReadDuration("Upstash-Delay", value);
        return delay <= options.MaxDelay
            ? delay
            : throw QStashException.BadRequest($"invalid Upstash-Delay: {value}: at most {options.MaxDelay.TotalDays:0} days");
    }

    private static long ReadNotBefore(string value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 9_999_999_999
            ? seconds
            : throw QStashException.BadRequest($"invalid Upstash-Not-Before: {value}: must be a unix time in seconds");

    private static string[]? ReadLabels(string value)
    {
        if (value.Any(char.IsControl))
            throw QStashException.BadRequest("invalid value of Upstash-Label: control characters are not allowed");
        var labels = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return labels.Length == 0 ? null : labels;
    }

    private static string ReadDeduplicationId(string value) =>
        value.Contains(':', StringComparison.Ordinal) ? throw QStashException.BadRequest("DeduplicationId cannot contain ':'") : value;

    private static string ReadRedaction(string value) =>
        RedactFields.TryParse(value, out _, out var error)
            ? value
            : throw QStashException.BadRequest($"invalid {error}");

    // Python sends True and False.
    private static bool ReadFlag(string setting, string value) =>
        bool.TryParse(value, out var flag)
            ? flag
            : throw QStashException.BadRequest($"invalid Upstash-{HeaderName.Canonical(setting)}: {value}: must be true or false");

    private static string ReadName(string header, string value) =>
        ResourceName.IsValid(value)
            ? value
            : throw QStashException.BadRequest($"invalid {header}: {value}: it is {ResourceName.Rule}");

    // What the service itself reads is text; guessing what other bytes mean could make two ids one.
    private static string TextOf(string name, string value) =>
        HeaderValue.TryReadText(value, out var text)
            ? text.Trim()
            : throw QStashException.BadRequest($"invalid {HeaderName.Canonical(name)}: it must be UTF-8");

    private static string Checked(string name, string value) =>
        HeaderValue.IsValid(value)
            ? value
            : throw QStashException.BadRequest($"invalid value of {name}: control characters are not allowed");
}
