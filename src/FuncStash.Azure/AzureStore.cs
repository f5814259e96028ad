using System.Net.Sockets;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>The storage ports on one Azure Storage account, or on Azurite. Any number of processes may share it.</summary>
public sealed class AzureStore : IStore, IDisposable
{
    private const string Ping = "ping";

    private readonly HttpClient _http;

    /// <summary>Makes no call: tables, queues and the container are created when first written to.</summary>
    /// <exception cref="StorageConfigurationException">The options name no account, or two.</exception>
    public AzureStore(AzureStoreOptions options)
    {
        _http = Pipeline.CreateHttpClient(options);
        var transport = new HttpClientTransport(_http);
        var forTables = Pipeline.Configure(new TableClientOptions(), "table", options, transport);
        var forQueues = Pipeline.Configure(new QueueClientOptions(), "queue", options, transport);
        var forBlobs = Pipeline.Configure(new BlobClientOptions(), "blob", options, transport);

        // Plain text, so that an operator can read what waits. Everybody who shares a queue must agree on it: the
        // queue trigger of Azure Functions does with "messageEncoding": "none" under extensions.queues in host.json.
        forQueues.MessageEncoding = QueueMessageEncoding.None;

        var (table, queue, blob) = Open(options, forTables, forQueues, forBlobs);
        var queues = new AzureWorkQueues(queue, options);
        Tables = new AzureTables(table, options, queues);
        Queues = queues;
        Bodies = new AzureBodies(blob, options);
    }

    public ITables Tables { get; }

    public IWorkQueues Queues { get; }

    public IBodies Bodies { get; }

    public bool IsFault(Exception error) => error switch
    {
        // What the service finds wrong it finds wrong the next time too.
        RequestFailedException refused => refused.Status is not (400 or 413),
        // Of several tries.
        AggregateException several => several.InnerExceptions.All(IsFault),
        AuthenticationFailedException or HttpRequestException or SocketException or TimeoutException
            or OperationCanceledException => true,
        // Of a connection; one of a file says nothing about the account.
        HttpIOException or IOException { InnerException: SocketException } => true,
        _ => false,
    };

    /// <summary>One read at each of the three services, of something that is not there.</summary>
    public async ValueTask PingAsync(CancellationToken cancellation = default) => await Task.WhenAll(
        Tables.GetAsync(Ping, Ping, Ping, cancellation).AsTask(),
        Queues.CountAsync(Ping, cancellation).AsTask(),
        Bodies.GetAsync(Ping, cancellation).AsTask());

    public void Dispose() => _http.Dispose();

    private static (TableServiceClient, QueueServiceClient, BlobServiceClient) Open(
        AzureStoreOptions options, TableClientOptions tables, QueueClientOptions queues, BlobClientOptions blobs)
    {
        var hasPlace = options.AccountName is not null || options.TableServiceUri is not null
            || options.QueueServiceUri is not null || options.BlobServiceUri is not null;
        if (options.ConnectionString is { } text && hasPlace)
            throw new StorageConfigurationException("Both a connection string and an account are given.");
        if (options.ConnectionString is { } connection)
        {
            try
            {
                return (new(connection, tables), new(connection, queues), new(connection, blobs));
            }
            catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
            {
                // The cause may quote the key, so it is not passed on.
                throw new StorageConfigurationException("The storage connection string is malformed.");
            }
        }
        var credential = CredentialFor(options);
        return (new(Address(options.TableServiceUri, "table"), credential, tables),
            new(Address(options.QueueServiceUri, "queue"), credential, queues),
            new(Address(options.BlobServiceUri, "blob"), credential, blobs));

        Uri Address(Uri? given, string service) => given
            ?? (options.AccountName is { } account ? new Uri($"https://{account}.{service}.core.windows.net") : null)
            ?? throw new StorageConfigurationException(
                $"Neither a connection string, nor an account name, nor the address of the {service} service is given.");
    }

    private static TokenCredential CredentialFor(AzureStoreOptions options) => options switch
    {
        { Credential: { } given } => given,
        { ClientId: { } id } => new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(id)),
        { ManagedIdentity: true } => new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned),
        _ => new DefaultAzureCredential(),
    };
}
