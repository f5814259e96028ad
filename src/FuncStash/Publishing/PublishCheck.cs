using FuncStash.Destinations;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Publishing;

/// <summary>Refuses what could be stored and never be done as it was meant.</summary>
public sealed class PublishCheck(DestinationCheck destinations, FuncStashOptions options)
{
    private const string Cron = "Upstash-Cron", Callback = "Upstash-Callback", FailureCallback = "Upstash-Failure-Callback";

    /// <summary>Begins the lookups that the checks of a publish will wait for.</summary>
    public void Begin(PublishRequest request)
    {
        Begin(request.Destination);
        Begin(request.Settings.Callback?.Url);
        Begin(request.Settings.FailureCallback?.Url);
    }

    /// <summary>The same for one destination; a URL group's name has nothing to look up.</summary>
    public void Begin(string? destination)
    {
        if (destination is not null)
            destinations.Begin(destination);
    }

    /// <summary>Checks that a valid URL can be delivered to.</summary>
    /// <param name="what">What it is called in the refusal.</param>
    /// <param name="url">The URL.</param>
    /// <param name="resolves">False where nobody would hear the refusal: then only what the URL itself tells counts.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <exception cref="QStashException">400.</exception>
    public async ValueTask UrlAsync(string what, string url, bool resolves, CancellationToken cancellation)
    {
        if (await destinations.RefusalAsync(url, resolves, cancellation) is { } refusal)
            throw QStashException.BadRequest($"invalid {what}: {refusal}");
    }

    /// <summary>Checks the callbacks of a publish, and the callbacks of those.</summary>
    /// <exception cref="QStashException">400.</exception>
    public async ValueTask CallbacksAsync(PublishSettings settings, bool resolves, CancellationToken cancellation)
    {
        if (settings.Callback is { } callback)
            await CallbackAsync(Callback, callback, resolves, cancellation);
        if (settings.FailureCallback is { } failure)
            await CallbackAsync(FailureCallback, failure, resolves, cancellation);
    }

    /// <summary>Checks settings that are for messages to come, such as a URL group's, or for one that was stored before.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="whyNoCron">Why there can be no <c>Upstash-Cron</c> among them.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <exception cref="QStashException">400.</exception>
    public async ValueTask SettingsAsync(PublishSettings settings, string whyNoCron, CancellationToken cancellation)
    {
        if (settings.Cron is not null)
            throw QStashException.BadRequest($"invalid {Cron}: {whyNoCron}");
        await CallbacksAsync(settings, resolves: true, cancellation);
    }

    private async ValueTask CallbackAsync(string name, CallbackSettings callback, bool resolves, CancellationToken cancellation)
    {
        await UrlAsync(name, callback.Url, resolves, cancellation);
        PublishSettingsReader.CheckNoCron(name, callback.Settings);
        if (!callback.Settings.Contains(Callback) && !callback.Settings.Contains(FailureCallback))
            return;
        var own = PublishSettingsReader.Parse(callback.Settings, options);
        if (own.Callback is { } further)
            await CallbackAsync($"{name}-Callback", further, resolves, cancellation);
        if (own.FailureCallback is { } failure)
            await CallbackAsync($"{name}-Failure-Callback", failure, resolves, cancellation);
    }
}
