using System.Globalization;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Headers;

/// <summary>Where a setting may stand; elsewhere it says nothing.</summary>
[Flags]
internal enum Places
{
    /// <summary>A publish, an enqueue or an item of a batch.</summary>
    Publish = 1,

    /// <summary>The default headers of a URL group.</summary>
    Group = 2,

    /// <summary>The creation of a schedule.</summary>
    Schedule = 4,

    /// <summary>As <c>Upstash-Callback-NAME</c> and <c>Upstash-Failure-Callback-NAME</c>, for the callback.</summary>
    Callback = 8,

    /// <summary>The retry of a dead letter, where it beats what the message had.</summary>
    Retry = 16,

    Everywhere = Publish | Group | Schedule | Callback | Retry,
}

/// <summary>One header in which a publisher asks for something: its name, how it is read, what it sets. A row of <see cref="HeaderTable"/>.</summary>
/// <param name="name">The header's name in canonical form. As a query parameter it stands in lower case.</param>
internal abstract class SettingHeader(string name)
{
    public string Name { get; } = name;

    public required Places Places { get; init; }

    /// <summary>What its value may be, for the table in docs/protocol.md.</summary>
    public required string Value { get; init; }

    /// <summary>What holds where it is not given; for the same table.</summary>
    public string Default { get; init; } = "none";

    /// <summary>What it does; for the same table.</summary>
    public required string Effect { get; init; }

    /// <summary>True for a comma-separated list: several lines of it are one list (RFC 9110 §5.3).</summary>
    public bool IsList { get; init; }

    /// <summary>True for what makes a publish a schedule: it is about the schedule, not about its messages.</summary>
    public bool MakesSchedule { get; init; }

    /// <summary>True where an empty value is a value; else it is as good as none.</summary>
    public bool MayBeEmpty { get; init; }

    /// <summary>What each delivery says under the same name; null for nothing.</summary>
    public Func<Message, string?>? Delivered { get; init; }

    /// <summary>Takes the value of a header.</summary>
    /// <exception cref="QStashException">400, which names the header.</exception>
    public abstract void Read(SettingsDraft draft, string value, FuncStashOptions options);

    /// <summary>Whether the settings say anything about it.</summary>
    public abstract bool IsIn(PublishSettings settings);

    /// <summary>What <paramref name="from"/> says about it, put into <paramref name="to"/>.</summary>
    public abstract PublishSettings Copy(PublishSettings from, PublishSettings to);

    /// <summary>The settings and, where they say nothing about it, what weaker ones say.</summary>
    public virtual PublishSettings Or(PublishSettings settings, PublishSettings weaker) => IsIn(settings) ? settings : Copy(weaker, settings);

    /// <summary>The headers that say what the settings say about it, so that reading them gives the same again; none for nothing.</summary>
    public abstract IEnumerable<(string Name, string Value)> Write(PublishSettings settings);

    /// <summary>The message as the settings ask for it.</summary>
    public abstract Message ApplyTo(Message message, PublishSettings settings);
}

/// <summary>What has been read so far. Some settings need more than one header.</summary>
internal sealed class SettingsDraft
{
    public PublishSettings Settings { get; set; } = new();

    public string? FlowControlKey { get; set; }

    public string? FlowControlValue { get; set; }

    /// <summary>What was read for callbacks, by the name of their header.</summary>
    public Dictionary<string, CallbackDraft> Callbacks { get; } = new(StringComparer.Ordinal);

    public CallbackDraft Callback(string name) =>
        Callbacks.TryGetValue(name, out var draft) ? draft : Callbacks[name] = new CallbackDraft();
}

/// <summary>A callback's URL and the settings given for it.</summary>
internal sealed class CallbackDraft
{
    public string? Url { get; set; }

    public HeaderMap Settings { get; } = new();
}

/// <summary>A header that sets one value of <see cref="PublishSettings"/>.</summary>
/// <param name="get">The value; that of the type's default means that nothing was said.</param>
/// <param name="set">The settings with another value.</param>
/// <param name="parse">Reads the value of the header of that name.</param>
internal class SettingHeader<T>(
    string name, Func<PublishSettings, T> get, Func<PublishSettings, T, PublishSettings> set,
    Func<string, string, FuncStashOptions, T>? parse = null) : SettingHeader(name)
{
    /// <summary>What it makes of a message; null when it is about the publish alone.</summary>
    public Func<Message, T, Message>? Apply { get; init; }

    public override void Read(SettingsDraft draft, string value, FuncStashOptions options) =>
        draft.Settings = Set(draft.Settings, parse!(Name, value, options));

    public PublishSettings Set(PublishSettings settings, T value) => set(settings, value);

    public T Get(PublishSettings settings) => get(settings);

    public override bool IsIn(PublishSettings settings) => !EqualityComparer<T>.Default.Equals(get(settings), default);

    public override PublishSettings Copy(PublishSettings from, PublishSettings to) => set(to, get(from));

    public override IEnumerable<(string Name, string Value)> Write(PublishSettings settings) =>
        IsIn(settings) ? [(Name, TextOf(get(settings)))] : [];

    public override Message ApplyTo(Message message, PublishSettings settings) =>
        Apply is null ? message : Apply(message, get(settings));

    private static string TextOf(T value) => value switch
    {
        true => "true",
        false => "false",
        TimeSpan duration when duration.Ticks % TimeSpan.TicksPerSecond == 0 => string.Create(CultureInfo.InvariantCulture, $"{(long)duration.TotalSeconds}s"),
        TimeSpan duration when duration.Ticks % TimeSpan.TicksPerMillisecond == 0 => string.Create(CultureInfo.InvariantCulture, $"{(long)duration.TotalMilliseconds}ms"),
        TimeSpan duration => string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks * TimeSpan.NanosecondsPerTick}ns"),
        IEnumerable<string> list => string.Join(", ", list),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}

/// <summary>A callback's URL. Headers that begin with its name and a hyphen are settings of the callback, each a header of its own.</summary>
/// <param name="getAlone">The settings that were given without the URL, which may come from elsewhere; null for none.</param>
/// <param name="setAlone">The settings with others of those.</param>
/// <param name="of">The callback that a message has.</param>
internal sealed class CallbackHeader(
    string name, Func<PublishSettings, CallbackSettings?> get, Func<PublishSettings, CallbackSettings?, PublishSettings> set,
    Func<PublishSettings, HeaderMap?> getAlone, Func<PublishSettings, HeaderMap?, PublishSettings> setAlone, Func<Message, CallbackSettings?> of)
    : SettingHeader<CallbackSettings?>(name, get, set)
{
    public override void Read(SettingsDraft draft, string value, FuncStashOptions options) => draft.Callback(Name).Url = value;

    /// <summary>The callback that a message has.</summary>
    public CallbackSettings? Of(Message message) => of(message);

    public PublishSettings SetAlone(PublishSettings settings, HeaderMap alone) => setAlone(settings, alone);

    public override bool IsIn(PublishSettings settings) => base.IsIn(settings) || getAlone(settings) is not null;

    public override PublishSettings Copy(PublishSettings from, PublishSettings to) => setAlone(base.Copy(from, to), getAlone(from));

    public override PublishSettings Or(PublishSettings settings, PublishSettings weaker)
    {
        var all = Merge(SettingsIn(settings), SettingsIn(weaker));
        return (Get(settings)?.Url ?? Get(weaker)?.Url) is { } url
            ? setAlone(Set(settings, new CallbackSettings(url, all ?? HeaderMap.Empty)), null)
            : setAlone(settings, all);
    }

    public override Message ApplyTo(Message message, PublishSettings settings) => (Get(settings)?.Url ?? of(message)?.Url) is { } url
        ? Apply!(message, new CallbackSettings(url, Merge(SettingsIn(settings), of(message)?.Settings) ?? HeaderMap.Empty))
        : message;

    /// <summary>What is set of the callback, with its URL or without; null for nothing.</summary>
    public HeaderMap? SettingsIn(PublishSettings settings) => Get(settings)?.Settings ?? getAlone(settings);

    // A delay is not to be beaten by a time that comes from elsewhere.
    private static HeaderMap? Merge(HeaderMap? settings, HeaderMap? weaker) =>
        settings is null ? weaker
        : weaker is null ? settings
        : settings.Or(settings.Contains("Upstash-Delay") ? weaker.Without("Upstash-Not-Before") : weaker);

    public override IEnumerable<(string Name, string Value)> Write(PublishSettings settings)
    {
        if (Get(settings) is { } callback)
            yield return (Name, callback.Url);
        foreach (var (setting, values) in SettingsIn(settings) ?? HeaderMap.Empty)
        {
            foreach (var value in values)
                yield return ($"{Name}-{setting[HeaderTable.Prefix.Length..]}", value);
        }
    }

    /// <summary>The setting of a publish that a header is for this callback, such as <c>Upstash-Retries</c>; null when it is none.</summary>
    public string? SettingOf(string header) =>
        header.StartsWith(HeaderTable.Prefix, StringComparison.OrdinalIgnoreCase) && IsAt(header, HeaderTable.Prefix.Length)
            ? HeaderName.Canonical(HeaderTable.Prefix + header[(Name.Length + 1)..])
            : null;

    /// <summary>Whether what stands in a header's name from a place on is a setting for this callback.</summary>
    public bool IsAt(string header, int at)
    {
        var length = Name.Length - HeaderTable.Prefix.Length;
        return header.Length > at + length && header[at + length] == '-'
            && string.Compare(header, at, Name, HeaderTable.Prefix.Length, length, StringComparison.OrdinalIgnoreCase) == 0;
    }
}

/// <summary>One of the two headers of flow control, which only together say anything.</summary>
/// <param name="isKey">True for the one that settings and messages go by.</param>
internal sealed class FlowControlHeader(string name, bool isKey, Action<SettingsDraft, string> read) : SettingHeader(name)
{
    public override void Read(SettingsDraft draft, string value, FuncStashOptions options) => read(draft, value);

    public override bool IsIn(PublishSettings settings) => isKey && settings.FlowControl is not null;

    public override PublishSettings Copy(PublishSettings from, PublishSettings to) =>
        isKey ? to with { FlowControl = from.FlowControl } : to;

    public override IEnumerable<(string Name, string Value)> Write(PublishSettings settings) => settings.FlowControl is { } flow
        ? [(Name, isKey ? flow.Key : FlowControlValue.Text(flow.Rate, flow.Parallelism, flow.Period))]
        : [];

    public override Message ApplyTo(Message message, PublishSettings settings) => message with { FlowControl = settings.FlowControl };
}
