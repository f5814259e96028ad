using System.Text.Json.Serialization;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Headers;

/// <summary>What a publisher asks for, read from headers, query parameters or a batch item (protocol#headers).</summary>
/// <remarks>
/// Each has its row in <see cref="HeaderTable"/>, which says how it is read, what it sets and where it may stand. Schedules keep
/// them as JSON under these names.
/// </remarks>
public sealed record PublishSettings
{
    public string? Method { get; init; }

    /// <summary>The headers the destination gets.</summary>
    public HeaderMap Header { get; init; } = HeaderMap.Empty;

    /// <summary>True when the request's own headers reach the destination too.</summary>
    public bool? ForwardsAllHeaders { get; init; }

    public int? Retries { get; init; }

    public string? RetryDelay { get; init; }

    /// <summary>How long one attempt may take; zero asks for the service's limit.</summary>
    public TimeSpan? Timeout { get; init; }

    public TimeSpan? Delay { get; init; }

    /// <summary>Not before this unix time in seconds; beats <see cref="Delay"/>.</summary>
    public long? NotBefore { get; init; }

    public CallbackSettings? Callback { get; init; }

    public CallbackSettings? FailureCallback { get; init; }

    /// <summary>Settings for a callback whose URL is given elsewhere: by a URL group, or by the message that is sent again.</summary>
    public HeaderMap? ForCallback { get; init; }

    public HeaderMap? ForFailureCallback { get; init; }

    public IReadOnlyList<string>? Labels { get; init; }

    public FlowControlSettings? FlowControl { get; init; }

    public string? DeduplicationId { get; init; }

    public bool? ContentBasedDeduplication { get; init; }

    public string? Redact { get; init; }

    public string? QueueName { get; init; }

    public string? Cron { get; init; }

    public string? ScheduleId { get; init; }

    /// <summary>What it says of a workflow run; with a run's id the publish is a part of that run.</summary>
    /// <remarks>Of a schedule or a URL group it is no part.</remarks>
    [JsonIgnore]
    public RunHeaders Workflow { get; init; } = RunHeaders.None;

    /// <summary>These settings, and where they say nothing the defaults of a URL group.</summary>
    public PublishSettings Or(PublishSettings defaults)
    {
        var settings = this with { Header = Header.Or(defaults.Header) };
        foreach (var header in HeaderTable.Settings)
        {
            if (header.Places.HasFlag(Places.Group))
                settings = header.Or(settings, defaults);
        }
        // A delay of its own is not to be beaten by a time that comes from the group.
        return Delay is null ? settings : settings with { NotBefore = NotBefore };
    }

    /// <summary>Those that each message of a schedule gets.</summary>
    public PublishSettings OfSchedule()
    {
        var settings = new PublishSettings { Header = Header, ForwardsAllHeaders = ForwardsAllHeaders };
        foreach (var header in HeaderTable.Settings)
        {
            if (header.Places.HasFlag(Places.Schedule) && !header.MakesSchedule)
                settings = header.Copy(this, settings);
        }
        return settings;
    }

    /// <summary>A message as these settings ask for it; where they say nothing it stays as it is.</summary>
    /// <param name="message">The message. Its queue is left to the caller.</param>
    /// <param name="now">
    /// From when on a delay counts, in unix milliseconds. The message's id may be of a little later; what is delayed is due after that.
    /// </param>
    public Message ApplyTo(Message message, long now)
    {
        var due = DueAt(now);
        message = message with { Header = Header.Or(message.Header), NotBefore = due > now ? Math.Max(due, message.CreatedAt + 1) : due };
        foreach (var header in HeaderTable.Settings)
        {
            if (header.IsIn(this))
                message = header.ApplyTo(message, this);
        }
        return message;
    }

    /// <summary>When the message is due, in unix milliseconds.</summary>
    public long DueAt(long now) =>
        NotBefore is { } seconds ? Math.Max(now, seconds * 1000)
        : Delay is { } delay ? now + DurationText.Milliseconds(delay)
        : now;

    /// <summary>Refuses what would wait longer than is allowed: the message, or a callback of it.</summary>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="options">The limit.</param>
    /// <exception cref="QStashException">400, which names the header.</exception>
    public void CheckDue(long now, FuncStashOptions options)
    {
        if (DueAt(now) - now > options.MaxDelay.TotalMilliseconds)
            throw QStashException.BadRequest($"invalid Upstash-Not-Before: at most {options.MaxDelay.TotalDays:0} days ahead");
        foreach (var header in HeaderTable.Callbacks)
        {
            // Seldom given, also to a callback's callback.
            if (header.SettingsIn(this) is not { } callback
                || !callback.Any(setting => setting.Key.EndsWith("-Not-Before", StringComparison.OrdinalIgnoreCase)))
                continue;
            try
            {
                PublishSettingsReader.Parse(callback, options).CheckDue(now, options);
            }
            catch (QStashException refusal)
            {
                throw QStashException.BadRequest($"{header.Name}: {refusal.Message}");
            }
        }
    }
}
