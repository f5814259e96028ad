using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

[assembly: AssemblyFixture(typeof(FuncStash.Client.Tests.EmbeddedServer))]

namespace FuncStash.Client.Tests;

/// <summary>The embedded server as its own process, with its data in memory; one for all tests, which tell their things apart by names.</summary>
public sealed class EmbeddedServer : IAsyncLifetime
{
    public const string Token = "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=";
    public const string CurrentKey = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r";
    public const string NextKey = "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs";

    private readonly Child _process = new("dotnet", [ServerDll, "--port", "0", "--data", ":memory:"], new()
    {
        ["QSTASH_TOKEN"] = Token, ["QSTASH_CURRENT_SIGNING_KEY"] = CurrentKey, ["QSTASH_NEXT_SIGNING_KEY"] = NextKey,
    });

    public Uri Url { get; private set; } = null!;

    /// <summary>What a program needs to know to use it.</summary>
    public Dictionary<string, string> Settings => new()
    {
        ["QSTASH_URL"] = Url.ToString(), ["QSTASH_TOKEN"] = Token,
        ["QSTASH_CURRENT_SIGNING_KEY"] = CurrentKey, ["QSTASH_NEXT_SIGNING_KEY"] = NextKey,
    };

    private static string ServerDll => Path.Combine(
        Repository.Root, "src", "FuncStash.Server", "bin", Repository.Configuration, "net10.0", "FuncStash.Server.dll");

    public QStashClient NewClient() => new(new QStashClientOptions { BaseUrl = Url, Token = Token });

    public async ValueTask InitializeAsync()
    {
        _process.Start();
        Url = new Uri((await _process.LineAsync(line => line.Contains("QSTASH_URL="))).Split("QSTASH_URL=")[1].Trim());
        await _process.LineAsync(line => line.Contains("running", StringComparison.OrdinalIgnoreCase));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}

/// <summary>A process of the tests, ended with them.</summary>
internal sealed class Child(string file, string[] arguments, Dictionary<string, string>? environment = null, string? folder = null) : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Process _process = new();
    private readonly Signal<string> _lines = new();

    public string Output => string.Join('\n', _lines.Items);

    public Child Start()
    {
        _process.StartInfo = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var (name, value) in environment ?? [])
            _process.StartInfo.Environment[name] = value;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        return this;
    }

    public async Task<string> LineAsync(Func<string, bool> matches)
    {
        try
        {
            return await _lines.FirstAsync(matches, s_patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{file} did not say it; it said:\n{Output}");
        }
    }

    /// <summary>The exit code, once it has ended by itself.</summary>
    public async Task<int> ExitAsync(TimeSpan? patience = null)
    {
        await _process.WaitForExitAsync().WaitAsync(patience ?? s_patience, TimeProvider.System);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
            _lines.Add(line);
    }
}

/// <summary>A request as it came over the wire; names of headers compare without case.</summary>
internal sealed record Received(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => System.Text.Encoding.UTF8.GetString(Body);
}

/// <summary>An HTTP server on a port of its own, which keeps what it gets.</summary>
internal sealed class Listener : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Signal<Received> _received = new();

    private Listener(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";

    public IReadOnlyList<Received> All => _received.Items;

    public static Task<Listener> StartAsync(int status = 200, string answer = "{}") => StartAsync(async (context, _) =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer);
    });

    public static async Task<Listener> StartAsync(Func<HttpContext, Received, Task> answer)
    {
        var app = WebApps.New().Build();
        var listener = new Listener(app);
        app.Run(async context => await answer(context, await listener.KeepAsync(context)));
        listener.Url = await WebApps.StartAsync(app);
        return listener;
    }

    public Task<Received> FirstAsync(Func<Received, bool> matches) => _received.FirstAsync(matches, TimeSpan.FromSeconds(30));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<Received> KeepAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var received = new Received(
            context.Request.Method, context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body.ToArray());
        _received.Add(received);
        return received;
    }
}

/// <summary>Web applications in the tests' own process, on loopback and a port the system chooses.</summary>
internal static class WebApps
{
    public static WebApplicationBuilder New(Action<IServiceCollection>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.RequestHeaderEncodingSelector = _ => System.Text.Encoding.UTF8;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);
        configure?.Invoke(builder.Services);
        return builder;
    }

    /// <summary>Its URL, once it listens.</summary>
    public static async Task<string> StartAsync(WebApplication app)
    {
        await app.StartAsync();
        return app.Urls.Single();
    }
}

/// <summary>Things that come, and waiting for one of them.</summary>
internal sealed class Signal<T>
{
    private readonly ConcurrentQueue<T> _items = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<T> Items => [.. _items];

    public void Add(T item)
    {
        _items.Enqueue(item);
        Interlocked.Exchange(ref _more, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    public async Task<T> FirstAsync(Func<T, bool> matches, TimeSpan patience)
    {
        using var expiry = new CancellationTokenSource(patience, TimeProvider.System);
        while (true)
        {
            var more = Volatile.Read(ref _more).Task;
            foreach (var item in _items)
            {
                if (matches(item))
                    return item;
            }

            try
            {
                await more.WaitAsync(expiry.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"it did not come; {_items.Count} others did");
            }
        }
    }
}

/// <summary>Where things are, found from where the tests run.</summary>
internal static class Repository
{
#if DEBUG
    public const string Configuration = "Debug";
#else
    public const string Configuration = "Release";
#endif

    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FuncStash.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException("no FuncStash.sln above " + AppContext.BaseDirectory);
    }
}

/// <summary>Keeps what is logged.</summary>
internal sealed class LineLog(Signal<string> lines) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        lines.Add(formatter(state, exception));
}
