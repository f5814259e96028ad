namespace FuncStash.Client;

/// <summary>Schedules: messages published by the clock. Safe for use by many threads.</summary>
public class SchedulesClient
{
    private const string Path = "/v2/schedules";
    private readonly Transport _transport;

    internal SchedulesClient(Transport transport) => _transport = transport;

    /// <summary>For stand-ins in tests, which override what they need.</summary>
    protected SchedulesClient() => _transport = null!;

    /// <summary>Creates a schedule, or replaces the one that has <see cref="ScheduleOptions.ScheduleId"/>.</summary>
    /// <param name="destination">An http or https URL, or the name of a URL group.</param>
    /// <param name="cron">
    /// A cron expression of five fields, to the minute, in UTC; or in a time zone, such as
    /// <c>CRON_TZ=Europe/Oslo 0 4 * * *</c>.
    /// </param>
    /// <param name="body">What each message carries.</param>
    /// <param name="options">Settings of the schedule and its messages.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The schedule's id.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual async Task<string> CreateAsync(
        string destination, string cron, MessageBody? body = null, ScheduleOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(cron);
        var headers = SettingHeaders.Of(options, body);
        headers["Upstash-Cron"] = SettingHeaders.Checked("Upstash-Cron", cron);
        var request = new ApiRequest(HttpMethod.Post, RequestPath.ToDestination(Path + "/", destination))
        {
            Headers = headers,
            Body = body?.Bytes,
            // Without an id of its own it would be another schedule.
            Repeatable = headers.ContainsKey("Upstash-Schedule-Id"),
        };
        var answer = await _transport.SendAsync(request, WireJson.Default.ScheduleAnswer, cancellationToken).ConfigureAwait(false);
        return answer.ScheduleId;
    }

    /// <summary>All schedules.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The schedules.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<IReadOnlyList<QStashSchedule>> ListAsync(CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Get(Path), WireJson.Default.IReadOnlyListQStashSchedule, cancellationToken);

    /// <summary>One schedule.</summary>
    /// <param name="scheduleId">Its id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual Task<QStashSchedule> GetAsync(string scheduleId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Get(Of(scheduleId)), WireJson.Default.QStashSchedule, cancellationToken);

    /// <summary>Deletes a schedule; messages it made already stay.</summary>
    /// <param name="scheduleId">Its id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is gone.</returns>
    /// <exception cref="QStashRequestException">404 when there is none; QStash may answer 200 all the same.</exception>
    public virtual Task DeleteAsync(string scheduleId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(new ApiRequest(HttpMethod.Delete, Of(scheduleId)), cancellationToken);

    /// <summary>Pauses a schedule; runs that fall into the pause are not made up for.</summary>
    /// <param name="scheduleId">Its id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is paused.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual Task PauseAsync(string scheduleId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Set(HttpMethod.Patch, Of(scheduleId, "pause")), cancellationToken);

    /// <summary>Resumes a paused schedule.</summary>
    /// <param name="scheduleId">Its id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>A task that ends when it is resumed.</returns>
    /// <exception cref="QStashRequestException">404 when there is none.</exception>
    public virtual Task ResumeAsync(string scheduleId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(ApiRequest.Set(HttpMethod.Patch, Of(scheduleId, "resume")), cancellationToken);

    private static string Of(string scheduleId, string? end = null) => RequestPath.Of(Path + "/", scheduleId, end, nameof(scheduleId));
}

internal sealed record ScheduleAnswer
{
    public required string ScheduleId { get; init; }
}
