namespace FuncStash.Client;

/// <summary>
/// Which messages: values of one property are alternatives, different properties must all match. What is null matches
/// everything.
/// </summary>
public abstract record MessageFilter
{
    private protected MessageFilter()
    {
    }

    /// <summary>Destination URLs, compared exactly.</summary>
    public IReadOnlyList<string>? Urls { get; init; }

    /// <summary>Names of URL groups.</summary>
    public IReadOnlyList<string>? UrlGroups { get; init; }

    /// <summary>Ids of schedules.</summary>
    public IReadOnlyList<string>? ScheduleIds { get; init; }

    /// <summary>Names of queues.</summary>
    public IReadOnlyList<string>? QueueNames { get; init; }

    /// <summary>Labels, of which a message has one.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Keys of flow control.</summary>
    public IReadOnlyList<string>? FlowControlKeys { get; init; }

    /// <summary>IP addresses of publishers.</summary>
    public IReadOnlyList<string>? CallerIps { get; init; }

    /// <summary>The earliest time, to the millisecond: of publishing, of the log entry, or of the failure.</summary>
    public DateTimeOffset? FromDate { get; init; }

    /// <summary>The latest time, itself included, to the millisecond.</summary>
    public DateTimeOffset? ToDate { get; init; }

    internal virtual QueryText AddTo(QueryText query) => query
        .Add("url", Urls)
        .Add("topicName", UrlGroups)
        .Add("scheduleId", ScheduleIds)
        .Add("queueName", QueueNames)
        .Add("label", Labels)
        .Add("flowControlKey", FlowControlKeys)
        .Add("callerIp", CallerIps)
        .Add("fromDate", FromDate)
        .Add("toDate", ToDate);

    /// <summary>For calls that act on all that match.</summary>
    /// <exception cref="ArgumentException">The filter would match everything.</exception>
    internal QueryText ToBulkQuery(string all)
    {
        var query = AddTo(new QueryText());
        return query.ToString().Length > 0 ? query : throw new ArgumentException($"The filter is empty: call {all} to mean everything.");
    }
}
