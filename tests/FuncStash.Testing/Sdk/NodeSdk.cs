using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace FuncStash.Testing;

/// <summary>
/// The official JavaScript SDK in a Node process of its own (driver.mjs), which lives as long as the tests do.
/// Any method is reached by its path from a client: <c>publishJSON</c>, <c>messages.cancel</c>, <c>queue.upsert</c>.
/// </summary>
public sealed class NodeSdk : IAsyncDisposable
{
    private static readonly TimeSpan s_callTimeout = TimeSpan.FromSeconds(60);
    private static readonly JsonSerializerOptions s_json = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _calls = new();
    private readonly Lazy<Task<Process>> _driver;
    private readonly SemaphoreSlim _writing = new(1);
    private int _lastId;

    public NodeSdk() => _driver = new(StartAsync);

    /// <summary>A Date argument.</summary>
    public static JsonNode Date(DateTimeOffset at) => new JsonObject { ["$date"] = at.ToUnixTimeMilliseconds() };

    /// <summary>A Uint8Array argument.</summary>
    public static JsonNode Bytes(byte[] bytes) => new JsonObject { ["$base64"] = Convert.ToBase64String(bytes) };

    /// <summary>Calls a method of a client of that host.</summary>
    /// <param name="on">What a function on the way is called with, such as the queue name for <c>client.queue</c>.</param>
    /// <exception cref="SdkException">The SDK threw.</exception>
    public Task<JsonNode?> CallAsync(
        RunningHost host, string call, object? argument = null, object? on = null, Credentials? credentials = null) =>
        SendAsync(
            new { baseUrl = host.Url.ToString(), token = (credentials ?? host.Credentials).Token, retry = false },
            call, on, argument is null ? [] : [argument]);

    /// <summary>Calls a method that takes several arguments.</summary>
    /// <exception cref="SdkException">The SDK threw.</exception>
    public Task<JsonNode?> CallWithAsync(RunningHost host, string call, params object[] arguments) =>
        SendAsync(new { baseUrl = host.Url.ToString(), token = host.Credentials.Token, retry = false }, call, null, arguments);

    /// <summary>Verifies a delivery as an application would, with the SDK's Receiver.</summary>
    /// <exception cref="SdkException">The signature, its claims, or the body do not hold.</exception>
    public async Task<bool> VerifyAsync(Credentials credentials, string signature, string body, string url)
    {
        var config = new
        {
            currentSigningKey = credentials.CurrentSigningKey, nextSigningKey = credentials.NextSigningKey,
        };
        var result = await SendAsync(config, "Receiver.verify", null, [new { signature, body, url }]);
        return result!.GetValue<bool>();
    }

    public async ValueTask DisposeAsync()
    {
        if (_driver.IsValueCreated && _driver.Value.IsCompletedSuccessfully)
        {
            var driver = await _driver.Value;
            driver.StandardInput.Close();
            await driver.WaitForExitAsync();
            driver.Dispose();
        }

        _writing.Dispose();
    }

    private async Task<JsonNode?> SendAsync(object config, string call, object? on, object[] args)
    {
        var driver = await _driver.Value;
        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls[id] = answer;
        var line = JsonSerializer.Serialize(new { id, config, call, on, args }, s_json);
        await _writing.WaitAsync();
        try
        {
            await driver.StandardInput.WriteLineAsync(line);
            await driver.StandardInput.FlushAsync();
        }
        finally
        {
            _writing.Release();
        }

        return await answer.Task.WaitAsync(s_callTimeout, TimeProvider.System);
    }

    private async Task<Process> StartAsync()
    {
        await NodeModules.EnsureAsync(Repository.NodeFolder);
        var driver = new Process
        {
            StartInfo = new ProcessStartInfo("node", ["driver.mjs"])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
                WorkingDirectory = Repository.NodeFolder,
            },
            EnableRaisingEvents = true,
        };
        // Only what a call gives may decide where it goes.
        foreach (var name in driver.StartInfo.Environment.Keys.Where(key => key.Contains("QSTASH", StringComparison.Ordinal)).ToList())
            driver.StartInfo.Environment.Remove(name);
        var complaints = new ConcurrentQueue<string?>();
        driver.OutputDataReceived += (_, line) => Take(line.Data);
        driver.ErrorDataReceived += (_, line) => complaints.Enqueue(line.Data);
        driver.Exited += (_, _) => FailCalls(string.Join('\n', complaints.TakeLast(20)));
        driver.Start();
        driver.BeginOutputReadLine();
        driver.BeginErrorReadLine();
        return driver;
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        var answer = JsonNode.Parse(line)!;
        if (!_calls.TryRemove(answer["id"]!.GetValue<int>(), out var call))
            return;
        if (answer["error"] is { } error)
            call.SetException(new SdkException((string)error["name"]!, (string)error["message"]!, (int?)error["status"]));
        else
            call.SetResult(answer["result"]);
    }

    private void FailCalls(string complaint)
    {
        foreach (var call in _calls.Values)
            call.TrySetException(new InvalidOperationException("the Node driver ended: " + complaint));
    }
}
