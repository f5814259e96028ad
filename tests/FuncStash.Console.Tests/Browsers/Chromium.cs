using Microsoft.Playwright;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>
/// One Chromium for all tests: the system's, or the one that FUNCSTASH_CHROMIUM names. None is downloaded by the tests.
/// The headless shell comes first: a whole browser also draws its own toolbars, which takes more of the machine than the pages do.
/// </summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly string? s_path = new[] { Environment.GetEnvironmentVariable("FUNCSTASH_CHROMIUM"), "/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }
        .FirstOrDefault(path => !string.IsNullOrEmpty(path) && File.Exists(path));

    private readonly Lazy<Task<(IPlaywright Playwright, IBrowser Browser)>> _started = new(StartAsync);

    /// <summary>Why there is none here; null when there is.</summary>
    public static string? Unavailable => s_path is null ? "there is no Chromium: install the package chromium, or set FUNCSTASH_CHROMIUM" : null;

    /// <summary>A window of its own, with no cookies.</summary>
    public async Task<IBrowserContext> NewContextAsync(BrowserNewContextOptions? options = null) =>
        await (await _started.Value).Browser.NewContextAsync(options ?? new());

    public async ValueTask DisposeAsync()
    {
        if (!_started.IsValueCreated || _started.Value.IsFaulted)
            return;
        var (playwright, browser) = await _started.Value;
        await browser.DisposeAsync();
        playwright.Dispose();
    }

    private static async Task<(IPlaywright, IBrowser)> StartAsync()
    {
        var playwright = await Playwright.CreateAsync();
        // Who is root has no sandbox; the pages are our own.
        return (playwright, await playwright.Chromium.LaunchAsync(new() { ExecutablePath = s_path, Args = ["--no-sandbox"] }));
    }
}
