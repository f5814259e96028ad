using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;

namespace FuncStash.Client;

/// <summary>A client of QStash, or of a FuncStash, which speaks its protocol. Safe for use by many threads; one does for a program.</summary>
/// <remarks>
/// Calls that fail throw <see cref="QStashRequestException"/>; which are made again by themselves tells
/// <see cref="QStashRetryOptions"/>. Methods are virtual, so that tests can stand in for them.
/// </remarks>
public class QStashClient
{
    // Connections are opened anew now and then, so that a changed address is noticed; a redirect would make a publish a GET.
    private static readonly SocketsHttpHandler s_handler = NewHandler();

    private readonly Transport _transport;

    /// <summary>A client that takes everything from the environment: <c>QSTASH_URL</c> and <c>QSTASH_TOKEN</c>.</summary>
    /// <exception cref="InvalidOperationException">There is no token.</exception>
    public QStashClient()
        : this(new QStashClientOptions())
    {
    }

    /// <summary>A client with connections of its own, shared with others made so.</summary>
    /// <param name="options">What is not set is taken from the environment: <c>QSTASH_URL</c> and <c>QSTASH_TOKEN</c>.</param>
    /// <exception cref="InvalidOperationException">There is no token.</exception>
    public QStashClient(QStashClientOptions options)
        : this(new HttpClient(s_handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan }, options)
    {
    }

    /// <summary>A client on connections of the caller's, such as an <see cref="IHttpClientFactory"/> gives.</summary>
    /// <param name="http">Sends the requests; it stays the caller's. It should follow no redirects.</param>
    /// <param name="options">What is not set is taken from the environment: <c>QSTASH_URL</c> and <c>QSTASH_TOKEN</c>.</param>
    /// <param name="time">The clock of waits and limits; the system's when null.</param>
    /// <exception cref="InvalidOperationException">There is no token.</exception>
    public QStashClient(HttpClient http, QStashClientOptions options, TimeProvider? time = null)
        : this(http, options, Environment.GetEnvironmentVariable, time)
    {
    }

    internal QStashClient(HttpClient http, QStashClientOptions options, Func<string, string?> setting, TimeProvider? time)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(options);
        _transport = new Transport(http, options, setting, time ?? TimeProvider.System);
        Messages = new MessagesClient(_transport);
        Dlq = new DlqClient(_transport);
        Logs = new LogsClient(_transport);
        Schedules = new SchedulesClient(_transport);
        Queues = new QueuesClient(_transport);
        UrlGroups = new UrlGroupsClient(_transport);
        FlowControl = new FlowControlClient(_transport);
        SigningKeys = new SigningKeysClient(_transport);
    }

    /// <summary>Messages that are on their way.</summary>
    public virtual MessagesClient Messages { get; }

    /// <summary>The dead letter queue.</summary>
    public virtual DlqClient Dlq { get; }

    /// <summary>The log.</summary>
    public virtual LogsClient Logs { get; }

    /// <summary>Schedules.</summary>
    public virtual SchedulesClient Schedules { get; }

    /// <summary>Queues.</summary>
    public virtual QueuesClient Queues { get; }

    /// <summary>URL groups.</summary>
    public virtual UrlGroupsClient UrlGroups { get; }

    /// <summary>Flow-control keys.</summary>
    public virtual FlowControlClient FlowControl { get; }

    /// <summary>Signing keys.</summary>
    public virtual SigningKeysClient SigningKeys { get; }

    /// <summary>Publishes a message: when the call returns, the service will deliver it.</summary>
    /// <param name="destination">An http or https URL, which may have a query; or the name of a URL group.</param>
    /// <param name="body">What the message carries.</param>
    /// <param name="options">Its settings.</param>
    /// <param name="cancellationToken">Ends the call; the message may have been taken all the same.</param>
    /// <returns>The message, or one for each endpoint of the group.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    /// <exception cref="ArgumentException">The destination or a setting cannot be sent.</exception>
    public virtual Task<PublishResult> PublishAsync(
        string destination, MessageBody? body = null, PublishOptions? options = null, CancellationToken cancellationToken = default) =>
        SendAsync(RequestPath.ToDestination("/v2/publish/", destination), body, options, cancellationToken);

    /// <summary>Publishes a value as JSON, serialized by code that exists at compile time.</summary>
    /// <typeparam name="T">The value's type.</typeparam>
    /// <param name="destination">An http or https URL, which may have a query; or the name of a URL group.</param>
    /// <param name="value">What the message carries.</param>
    /// <param name="type">From a <c>JsonSerializerContext</c> of the program.</param>
    /// <param name="options">The message's settings.</param>
    /// <param name="cancellationToken">Ends the call; the message may have been taken all the same.</param>
    /// <returns>The message, or one for each endpoint of the group.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public virtual Task<PublishResult> PublishJsonAsync<T>(
        string destination, T value, JsonTypeInfo<T> type, PublishOptions? options = null, CancellationToken cancellationToken = default) =>
        PublishAsync(destination, MessageBody.FromJson(value, type), options, cancellationToken);

    /// <summary>Publishes a value as JSON, serialized by reflection with the defaults of the web: names in camel case.</summary>
    /// <typeparam name="T">The value's type.</typeparam>
    /// <param name="destination">An http or https URL, which may have a query; or the name of a URL group.</param>
    /// <param name="value">What the message carries.</param>
    /// <param name="options">The message's settings.</param>
    /// <param name="cancellationToken">Ends the call; the message may have been taken all the same.</param>
    /// <returns>The message, or one for each endpoint of the group.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    [RequiresUnreferencedCode("Trimming may take away members that only reflection needs; give a JsonTypeInfo instead.")]
    [RequiresDynamicCode("Reflection may need code made at run time; give a JsonTypeInfo instead.")]
    public virtual Task<PublishResult> PublishJsonAsync<T>(
        string destination, T value, PublishOptions? options = null, CancellationToken cancellationToken = default) =>
        PublishAsync(destination, MessageBody.FromJson(value), options, cancellationToken);

    /// <summary>Publishes a message through a queue, which is made when there is none.</summary>
    /// <param name="queue">The queue's name.</param>
    /// <param name="destination">An http or https URL, which may have a query; or the name of a URL group.</param>
    /// <param name="body">What the message carries.</param>
    /// <param name="options">Its settings.</param>
    /// <param name="cancellationToken">Ends the call; the message may have been taken all the same.</param>
    /// <returns>The message, or one for each endpoint of the group.</returns>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    /// <exception cref="ArgumentException">The destination or a setting cannot be sent.</exception>
    public virtual Task<PublishResult> EnqueueAsync(
        string queue, string destination, MessageBody? body = null, PublishOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        var path = RequestPath.Of("/v2/enqueue/", queue, end: "", argument: nameof(queue));
        return SendAsync(RequestPath.ToDestination(path, destination), body, options, cancellationToken);
    }

    /// <summary>Publishes many messages in one call. Each is taken or refused by itself.</summary>
    /// <param name="messages">The messages, in the order they are taken; their bodies are UTF-8 text.</param>
    /// <param name="cancellationToken">Ends the call; the messages may have been taken all the same.</param>
    /// <returns>What became of each, in the same order.</returns>
    /// <exception cref="QStashRequestException">The service refused the whole, or did not answer.</exception>
    /// <exception cref="ArgumentException">A body is not text, or a setting cannot be sent.</exception>
    public virtual async Task<IReadOnlyList<BatchResult>> BatchAsync(
        IEnumerable<BatchMessage> messages, CancellationToken cancellationToken = default)
    {
        var items = messages.Select(message => (Message: message, Headers: HeadersOf(message.Body, message.Options, out var madeUp), MadeUp: madeUp)).ToList();
        if (items.Count == 0)
            return [];
        var body = BatchBody.Of(items.Select(item => (item.Message, item.Headers)));
        var answers = await _transport.SendAsync(
            ApiRequest.Json(HttpMethod.Post, "/v2/batch", body), WireJson.Default.IReadOnlyListPublishAnswer, cancellationToken)
            .ConfigureAwait(false);
        return answers.Count == items.Count
            ? [.. answers.Zip(items, (answer, item) => new BatchResult { Messages = answer.Seen(item.MadeUp), Error = answer.Error })]
            : throw new QStashRequestException($"The service answered about {answers.Count} of {items.Count} messages.", 200);
    }

    internal static SocketsHttpHandler NewHandler() => new()
    {
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        // Labels may have letters beyond ASCII; the service reads UTF-8.
        RequestHeaderEncodingSelector = static (_, _) => System.Text.Encoding.UTF8,
    };

    private async Task<PublishResult> SendAsync(string target, MessageBody? body, PublishOptions? options, CancellationToken cancellation)
    {
        var request = new ApiRequest(HttpMethod.Post, target)
        {
            Headers = HeadersOf(body, options, out var madeUp),
            Body = body?.Bytes,
            Repeatable = true,
        };
        var answer = await _transport.SendAsync(request, WireJson.Default.PublishAnswer, cancellation).ConfigureAwait(false);
        return answer.Messages.Count > 0
            ? new PublishResult(answer.Seen(madeUp))
            : throw new QStashRequestException("The service answered with no message.", 200, answer.Error);
    }

    // What makes the call repeatable: with retries, no message goes without something the service knows it again by.
    private Dictionary<string, string> HeadersOf(MessageBody? body, PublishOptions? options, out bool idMadeUp)
    {
        const string Id = "Upstash-Deduplication-Id", ByContent = "Upstash-Content-Based-Deduplication";
        var headers = SettingHeaders.Of(options, body);
        headers.TryAdd("Upstash-Method", HttpMethod.Post.Method);
        idMadeUp = _transport.Retries && !headers.ContainsKey(Id)
            && !(headers.TryGetValue(ByContent, out var flag) && bool.TryParse(flag, out var isOn) && isOn);
        if (idMadeUp)
            headers[Id] = Guid.NewGuid().ToString("N");
        return headers;
    }
}
