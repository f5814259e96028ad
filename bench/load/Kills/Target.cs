using System.Net.Http.Headers;
using System.Net.Sockets;

namespace FuncStash.Bench.Kills;

/// <summary>The server as a publisher sees it: there, or not.</summary>
internal sealed class Target : IDisposable
{
    private const int Connections = 64;
    private static readonly TimeSpan s_requestTimeout = TimeSpan.FromSeconds(20);

    private readonly Lock _lock = new();
    private TaskCompletionSource<Server> _up = New();
    private long _refused;

    /// <summary>Answers other than 2xx and those that a call names, and the first of them.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    public string? FirstRefusal { get; private set; }

    internal sealed record Server(Uri Url, string Token, HttpMessageInvoker Http);

    internal sealed record Answer(int Status, byte[] Body);

    public void Up(Uri url, string token)
    {
        lock (_lock)
            _up.TrySetResult(new Server(url, token, Loopback.Client(Connections)));
    }

    public void Down()
    {
        TaskCompletionSource<Server> before;
        lock (_lock)
            (before, _up) = (_up, New());
        if (before.Task.IsCompletedSuccessfully)
            before.Task.Result.Http.Dispose();
        else
            before.TrySetCanceled();
    }

    public bool IsUp => _up.Task.IsCompletedSuccessfully;

    /// <summary>Waits until it is there.</summary>
    public async Task<Server> WaitAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                return await _up.Task.WaitAsync(stop);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // It was killed before it was ready.
            }
        }
    }

    /// <summary>One request, once; null where no whole answer came.</summary>
    /// <param name="expected">a status that is an answer besides 2xx</param>
    public async Task<Answer?> SendAsync(
        HttpMethod method, string path, byte[]? body, IEnumerable<(string Name, string Value)> headers, CancellationToken stop,
        int expected = 0)
    {
        var server = await WaitAsync(stop);
        using var request = new HttpRequestMessage(method, new Uri(server.Url, path));
        if (body is not null)
            request.Content = new ByteArrayContent(body);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", server.Token);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var timeout = new CancellationTokenSource(s_requestTimeout, TimeProvider.System);
        try
        {
            using var response = await server.Http.SendAsync(request, timeout.Token);
            var answer = new Answer((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(timeout.Token));
            if (response.IsSuccessStatusCode || answer.Status == expected)
                return answer;
            if (Interlocked.Increment(ref _refused) == 1)
                FirstRefusal = $"{method} {path}: {answer.Status} {System.Text.Encoding.UTF8.GetString(answer.Body)}";
            return null;
        }
        // A connection that is gone before HttpClient looks at whom it reaches ends in the socket's own exception.
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException or ObjectDisposedException
            or SocketException)
        {
            return null;
        }
    }

    /// <summary>Again and again, through any number of lives, until there is an answer.</summary>
    public async Task<Answer> InsistAsync(
        HttpMethod method, string path, byte[]? body, IEnumerable<(string Name, string Value)> headers, CancellationToken stop,
        int expected = 0)
    {
        while (true)
        {
            if (await SendAsync(method, path, body, headers, stop, expected) is { } answer)
                return answer;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, stop);
        }
    }

    private static TaskCompletionSource<Server> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => Down();
}
