using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.Testing;

/// <summary>Plain HTTP, for what the SDK cannot say: exact targets, odd headers, raw answers.</summary>
public sealed class WireClient(RunningHost host)
{
    private static readonly HttpClient s_http = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(60),
    };

    /// <param name="target">Path and query exactly as they go on the request line.</param>
    /// <param name="token">null: the host's own token; empty: no Authorization at all.</param>
    public async Task<WireAnswer> SendAsync(
        HttpMethod method, string target, byte[]? body = null, IEnumerable<(string Name, string Value)>? headers = null,
        string? token = null)
    {
        var exact = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        using var request = new HttpRequestMessage(method, new Uri(host.Url.GetLeftPart(UriPartial.Authority) + target, exact));
        if (body is not null)
            request.Content = new ByteArrayContent(body);
        if (token != "")
            request.Headers.Authorization = new("Bearer", token ?? host.Credentials.Token);
        foreach (var (name, value) in headers ?? [])
        {
            if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
                (request.Content ??= new ByteArrayContent([])).Headers.ContentType = MediaTypeHeaderValue.Parse(value);
            else
                Assert.True(request.Headers.TryAddWithoutValidation(name, value), name);
        }

        using var answer = await SendAsync(request, HttpCompletionOption.ResponseContentRead);
        var content = answer.Content.Headers.ContentType?.MediaType;
        return new(answer.StatusCode, answer.Headers, content, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Reads an answer of 200 to its end and keeps nothing of it.</summary>
    public async Task DrainAsync(string target)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, host.Url.GetLeftPart(UriPartial.Authority) + target);
        request.Headers.Authorization = new("Bearer", host.Credentials.Token);
        using var answer = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.CopyToAsync(Stream.Null);
    }

    // Of a connection to a killed host that is gone before its first use, .NET lets the socket's own exception through.
    private static async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption until)
    {
        try
        {
            return await s_http.SendAsync(request, until);
        }
        catch (SocketException gone)
        {
            throw new HttpRequestException(gone.Message, gone);
        }
    }

    public Task<WireAnswer> GetAsync(string target) => SendAsync(HttpMethod.Get, target);

    public Task<WireAnswer> DeleteAsync(string target) => SendAsync(HttpMethod.Delete, target);

    public Task<WireAnswer> TryPublishAsync(
        string destination, byte[]? body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, "/v2/publish/" + destination, body ?? [], headers);

    /// <summary>Publishes and returns the message id; anything but 200 fails the test.</summary>
    public async Task<string> PublishAsync(
        string destination, string body = "", params (string Name, string Value)[] headers)
    {
        var answer = await TryPublishAsync(destination, Encoding.UTF8.GetBytes(body), headers);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer.Json["messageId"]!.GetValue<string>();
    }

    public async Task<JsonNode> MessageAsync(string id)
    {
        var answer = await GetAsync("/v2/messages/" + id);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer.Json;
    }

    /// <summary>All log entries of a filter, newest first, through all pages.</summary>
    /// <param name="filter">A query, such as <c>label=a&amp;state=FAILED</c>.</param>
    public async Task<IReadOnlyList<JsonNode>> EventsAsync(string filter, int pageSize = 1000)
    {
        List<JsonNode> events = [];
        string? cursor = null;
        do
        {
            var more = cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor);
            var answer = await GetAsync($"/v2/events?{filter}&count={pageSize}{more}");
            Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
            events.AddRange(answer.Json["events"]!.AsArray().Select(entry => entry!));
            cursor = (string?)answer.Json["cursor"];
        }
        while (cursor is not null);
        return events;
    }

    /// <summary>The log of a message, oldest first, once it holds the state.</summary>
    public async Task<IReadOnlyList<JsonNode>> EventsUntilAsync(string messageId, string state, TimeSpan? timeout = null)
    {
        var events = await Eventually.GetAsync(
            () => EventsAsync("messageId=" + messageId),
            found => found.Any(entry => (string?)entry["state"] == state),
            found => $"{messageId}: " + string.Join(' ', found.Select(entry => (string?)entry["state"])),
            timeout);
        return [.. events.Reverse()];
    }

    /// <summary>The states a message went through, oldest first, once it reached this one.</summary>
    public async Task<IReadOnlyList<string>> StatesUntilAsync(string messageId, string state, TimeSpan? timeout = null) =>
        [.. (await EventsUntilAsync(messageId, state, timeout)).Select(entry => entry["state"]!.GetValue<string>())];

    /// <summary>The dead letter of a message, once it is there.</summary>
    public async Task<JsonNode> DeadLetterAsync(string messageId)
    {
        var answer = await Eventually.GetAsync(
            () => GetAsync("/v2/dlq?messageId=" + messageId),
            answer => answer.Status == HttpStatusCode.OK && answer.Json["messages"]!.AsArray().Count > 0);
        return Assert.Single(answer.Json["messages"]!.AsArray())!;
    }
}
