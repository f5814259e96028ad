using Azure.Core;
using Azure.Core.Pipeline;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>Which storage account to use, as whom, and under which names.</summary>
/// <remarks>
/// Either <see cref="ConnectionString"/>, or an identity: <see cref="AccountName"/> or the three service URIs.
/// The identity needs the roles Storage Table, Queue and Blob Data Contributor.
/// </remarks>
public sealed record AzureStoreOptions
{
    /// <summary>A connection string with a key or a SAS, or <c>UseDevelopmentStorage=true</c> for Azurite.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>The account's name in the public Azure cloud; elsewhere give the URIs.</summary>
    public string? AccountName { get; init; }

    public Uri? TableServiceUri { get; init; }

    public Uri? QueueServiceUri { get; init; }

    public Uri? BlobServiceUri { get; init; }

    /// <summary>Use the host's managed identity rather than whatever credential is found first.</summary>
    public bool ManagedIdentity { get; init; }

    /// <summary>The client id of a user-assigned managed identity; implies <see cref="ManagedIdentity"/>.</summary>
    public string? ClientId { get; init; }

    /// <summary>The credential itself, where none of the above will do.</summary>
    public TokenCredential? Credential { get; init; }

    /// <summary>What all names start with, so that several deployments share an account.</summary>
    /// <value>3 to 20 lower-case letters and digits, a letter first.</value>
    public string Prefix
    {
        get;
        init => field = ResourceNames.IsPrefix(value) ? value : throw new ArgumentException(
            $"The storage name prefix \"{value}\" is not 3 to 20 lower-case letters and digits with a letter first.");
    } = "funcstash";

    /// <summary>Sees every request that reaches the account, tries of a retry one by one: what Azure bills.</summary>
    public HttpPipelinePolicy? OperationPolicy { get; init; }

    /// <summary>The queue that lies in several of the account; null: each lies in one.</summary>
    public QueueSpread? Spread { get; init; }

    /// <summary>The most connections to the account, all three services together.</summary>
    public int MaxConnections { get; init; } = 768;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The name of a table in the account.</summary>
    public string TableName(string table) => ResourceNames.Table(Prefix, table);

    /// <summary>The name of a work queue in the account, for a trigger that reads it without this library.</summary>
    public string QueueName(string queue) => ResourceNames.Queue(Prefix, queue);

    /// <summary>The name of the container that holds the bodies.</summary>
    public string BodiesContainerName => $"{Prefix}-bodies";

    /// <summary>Reads the settings that Azure Functions uses for its own storage.</summary>
    /// <param name="setting">
    /// Looks up one setting: <c>NAME</c> (a connection string), or <c>NAME__accountName</c>, <c>NAME__tableServiceUri</c>,
    /// <c>NAME__queueServiceUri</c>, <c>NAME__blobServiceUri</c>, <c>NAME__credential</c> (only <c>managedidentity</c>)
    /// and <c>NAME__clientId</c>. A colon is tried where the two underscores find nothing.
    /// </param>
    /// <param name="name">The connection's name.</param>
    /// <exception cref="StorageConfigurationException">Settings are missing, contradictory or malformed.</exception>
    public static AzureStoreOptions FromConfiguration(
        Func<string, string?> setting, string name = "AzureWebJobsStorage") => new ConnectionSettings(setting, name).Read();

    /// <summary>Where the data is; never the connection string, which holds a key.</summary>
    public override string ToString() =>
        ConnectionString is null ? $"{AccountName ?? TableServiceUri?.Host} as {Prefix}*" : $"connection string as {Prefix}*";
}

/// <summary>The storage settings cannot be used; the message names the settings and holds no secret.</summary>
public sealed class StorageConfigurationException : InvalidOperationException
{
    public StorageConfigurationException()
    {
    }

    public StorageConfigurationException(string message)
        : base(message)
    {
    }

    public StorageConfigurationException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
