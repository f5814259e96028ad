using FuncStash.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the client for injection.</summary>
public static class QStashClientServices
{
    /// <summary>
    /// Registers one <see cref="QStashClient"/> for the program, on an <see cref="IHttpClientFactory"/>'s connections. What the
    /// options leave open is taken from the configuration, which the environment is part of: <c>QSTASH_URL</c> and
    /// <c>QSTASH_TOKEN</c>. A registered <see cref="TimeProvider"/> is its clock.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets options; may be null.</param>
    /// <returns>For further handlers and settings of the connections.</returns>
    public static IHttpClientBuilder AddQStashClient(this IServiceCollection services, Action<QStashClientOptions>? configure = null)
    {
        const string Name = "FuncStash.Client";
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null)
            services.Configure(configure);
        services.TryAddSingleton(provider => new QStashClient(
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(Name),
            provider.GetRequiredService<IOptions<QStashClientOptions>>().Value,
            setting => provider.GetService<IConfiguration>()?[setting] ?? Environment.GetEnvironmentVariable(setting),
            provider.GetService<TimeProvider>()));
        // The client lives as long as the program, so its handler must too; it renews its connections itself.
        return services.AddHttpClient(Name, http => http.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(QStashClient.NewHandler)
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
    }
}
