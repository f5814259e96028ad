using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Headers;

/// <summary>Reads publish settings; later ones of a name win, forwarded headers add up.</summary>
/// <remarks>A value that means nothing is refused with the header's name, so that no message goes out other than meant.</remarks>
public sealed class PublishSettingsReader(FuncStashOptions options)
{
    // What a header counts besides its name and value, as in HTTP/2 (RFC 9113 §6.5.2): many short ones are big too.
    private const int FieldBytes = 32;

    private readonly SettingsDraft _draft = new();
    private readonly HeaderMap _forwarded = new();
    private readonly HeaderMap _ofTheBody = new();
    private int _size;

    /// <summary>
    /// What <c>Upstash-Header-Forward</c> says, null where it was not read: when true, the caller passes the other headers to <see cref="ForwardHeader"/>.
    /// </summary>
    public bool? ForwardsAllHeaders => _draft.Settings.ForwardsAllHeaders;

    public static bool IsSetting(string name) => name.StartsWith(HeaderTable.Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Takes all lines of one header: those of a comma-separated list are one list (RFC 9110 §5.3).</summary>
    public void ReadLines(string name, IReadOnlyList<string?> values)
    {
        if (values.Count > 1 && (HeaderTable.Find(name) is { IsList: true } || HeaderTable.FindOfTheBody(name) is { IsList: true }))
            Read(name, string.Join(", ", values));
        else
        {
            foreach (var value in values)
                Read(name, value ?? "");
        }
    }

    /// <summary>Takes one header; those that are neither settings nor about the body's form are left alone.</summary>
    /// <exception cref="QStashException">400 for a value that means nothing, 413 for more than all of them may hold.</exception>
    public void Read(string name, string value)
    {
        if (!IsSetting(name))
        {
            ReadForm(name, value);
            return;
        }
        Count(name, value);
        if (name.StartsWith(HeaderTable.ForwardPrefix, StringComparison.OrdinalIgnoreCase))
            Forward(name[HeaderTable.ForwardPrefix.Length..], value);
        else if (HeaderTable.Find(name) is { } header)
        {
            if (TextOf(name, value) is var text && (text.Length > 0 || header.MayBeEmpty))
                header.Read(_draft, text, options);
        }
        else
            ReadCallbackSetting(name, value);
    }

    /// <summary>Takes a header that is to reach the destination.</summary>
    public void ForwardHeader(string name, string value)
    {
        Count(name, value);
        Forward(name, value);
    }

    private void Forward(string name, string value)
    {
        if (!HeaderName.IsValid(name))
            throw QStashException.BadRequest($"invalid header name in {HeaderTable.ForwardPrefix}{name}");
        _forwarded.Add(HeaderName.Canonical(name), Checked(HeaderTable.ForwardPrefix + name, value));
    }

    public PublishSettings ToSettings()
    {
        foreach (var (name, values) in _ofTheBody)
        {
            if (!_forwarded.Contains(name))
                _forwarded.Set(name, values);
        }
        var settings = _draft.Settings with
        {
            Header = _forwarded,
            FlowControl = FlowControlOf(_draft.FlowControlKey, _draft.FlowControlValue),
        };
        foreach (var header in HeaderTable.Callbacks)
        {
            if (!_draft.Callbacks.TryGetValue(header.Name, out var callback))
                continue;
            settings = CallbackOf(header.Name, callback) is { } whole
                ? header.Set(settings, whole)
                : header.SetAlone(settings, callback.Settings);
        }
        return settings;
    }

    /// <summary>The settings of what is published now: those of a callback without a URL mean nothing, and yet are to be right.</summary>
    /// <exception cref="QStashException">400.</exception>
    public PublishSettings ToNewSettings()
    {
        foreach (var header in HeaderTable.Callbacks)
        {
            if (!_draft.Callbacks.TryGetValue(header.Name, out var callback))
                continue;
            CheckNoCron(header.Name, callback.Settings);
            if (string.IsNullOrEmpty(callback.Url))
                Check(header.Name, OwnOf(callback.Settings));
        }
        return ToSettings();
    }

    /// <summary>Refuses a schedule among the settings of a callback.</summary>
    /// <exception cref="QStashException">400.</exception>
    internal static void CheckNoCron(string callback, HeaderMap settings)
    {
        if (NestedNames.FindInnermost(callback, settings, "Upstash-Cron") is { } cron)
            throw QStashException.BadRequest($"invalid {cron}: a callback is sent after an attempt, it cannot be a schedule");
    }

    // Not those of callbacks of callbacks, which could be nested as deep as a name is long.
    private static HeaderMap OwnOf(HeaderMap settings)
    {
        var own = new HeaderMap();
        foreach (var (name, values) in settings)
        {
            if (HeaderTable.Callbacks.All(header => header.SettingOf(name) is null))
                own.Add(name, values);
        }
        return own;
    }

    public static PublishSettings Parse(HeaderMap headers, FuncStashOptions options) => Read(headers, options).ToSettings();

    /// <summary>Reads what is published now (<see cref="ToNewSettings"/>).</summary>
    public static PublishSettings ParseNew(HeaderMap headers, FuncStashOptions options) => Read(headers, options).ToNewSettings();

    private static PublishSettingsReader Read(HeaderMap headers, FuncStashOptions options)
    {
        var reader = new PublishSettingsReader(options);
        foreach (var (name, values) in headers)
            reader.ReadLines(name, values);
        return reader;
    }

    /// <summary>Reads what was accepted once: limits that an operator has lowered since must not keep it from its end.</summary>
    public static PublishSettings ParseAccepted(HeaderMap headers, FuncStashOptions options) =>
        Parse(headers, WithoutLimits(options));

    /// <summary>Refuses the settings of a callback that together mean nothing, some of which were accepted once.</summary>
    /// <exception cref="QStashException">400, which names the callback's header.</exception>
    public static void CheckAccepted(string callback, HeaderMap settings, FuncStashOptions options) =>
        new PublishSettingsReader(WithoutLimits(options)).Check(callback, settings);

    private static FuncStashOptions WithoutLimits(FuncStashOptions options) =>
        options with { MaxRetries = int.MaxValue, MaxDelay = TimeSpan.MaxValue, MaxSettingsBytes = int.MaxValue };

    private void ReadForm(string name, string value)
    {
        if (value.Length == 0 || HeaderTable.FindOfTheBody(name) is not { } header)
            return;
        Count(name, value);
        _ofTheBody.Set(header.Name, Checked(header.Name, value));
    }

    // Every record that is made of them has a limit in every store.
    private void Count(string name, string value)
    {
        _size += FieldBytes + name.Length + value.Length;
        if (_size > options.MaxSettingsBytes)
        {
            throw new QStashException(
                413, $"the headers and settings of the message are too big: at most {options.MaxSettingsBytes} bytes in all, each counted with {FieldBytes} more");
        }
    }

    private void ReadCallbackSetting(string name, string value)
    {
        foreach (var header in HeaderTable.Callbacks)
        {
            if (header.SettingOf(name) is { } setting)
                _draft.Callback(header.Name).Settings.Add(setting, Checked(name, value));
        }
    }

    private CallbackSettings? CallbackOf(string name, CallbackDraft callback)
    {
        if (string.IsNullOrEmpty(callback.Url))
            return null;
        if (!HttpUrl.IsValid(callback.Url, out var error))
            throw QStashException.BadRequest($"invalid {name}: {error}");
        // Read now what will be read when the callback goes out, so that nothing is accepted which then fails.
        Check(name, callback.Settings);
        return new CallbackSettings(callback.Url, callback.Settings);
    }

    private void Check(string name, HeaderMap settings)
    {
        try
        {
            Parse(settings, options);
        }
        catch (QStashException refusal)
        {
            throw QStashException.BadRequest($"{name}: {refusal.Message}");
        }
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
