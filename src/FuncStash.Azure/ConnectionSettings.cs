namespace FuncStash.Azure;

/// <summary>Reads one connection from settings as Azure Functions writes them, and says what is wrong with them.</summary>
internal sealed class ConnectionSettings(Func<string, string?> setting, string name)
{
    private const string Account = "accountName", Table = "tableServiceUri", Queue = "queueServiceUri",
        Blob = "blobServiceUri", Credential = "credential", ClientId = "clientId";

    private static readonly string[] s_places = [Account, Table, Queue, Blob], s_services = [Table, Queue, Blob];

    public AzureStoreOptions Read()
    {
        var connection = Value(name);
        var places = s_places.Where(part => Part(part) is not null).ToList();
        if (connection is not null)
            return places.Count == 0
                ? new AzureStoreOptions { ConnectionString = connection }
                : throw Wrong($"{name} holds a connection string, but {Names(places)} is set too. Keep one of the two ways.");
        if (places.Count == 0)
            throw Wrong($"No storage is configured. Set {name} to a connection string (UseDevelopmentStorage=true for " +
                $"Azurite), or {Full(Account)} to the account's name to use an identity.");
        var missing = s_services.Where(part => Part(part) is null).ToList();
        if (Part(Account) is null && missing.Count > 0)
            throw Wrong($"{Names(places)} is set, but {Names(missing)} is not. Set all three, or {Full(Account)}.");
        return new AzureStoreOptions
        {
            AccountName = Part(Account),
            TableServiceUri = Address(Table),
            QueueServiceUri = Address(Queue),
            BlobServiceUri = Address(Blob),
            ManagedIdentity = IsManagedIdentity(),
            ClientId = Part(ClientId),
        };
    }

    private bool IsManagedIdentity() => Part(Credential) switch
    {
        null => false,
        { } kind when kind.Equals("managedidentity", StringComparison.OrdinalIgnoreCase) => true,
        { } kind => throw Wrong($"{Full(Credential)} is \"{kind}\"; only managedidentity is known. Leave it out for the default."),
    };

    private Uri? Address(string part) =>
        Part(part) is not { } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" ? uri
        : throw Wrong($"{Full(part)} is \"{text}\", which is not an absolute http(s) address.");

    private string? Part(string part) => Value(Full(part)) ?? Value($"{name}:{part}");

    private string? Value(string key) => setting(key) is { } text && !string.IsNullOrWhiteSpace(text) ? text : null;

    private string Full(string part) => $"{name}__{part}";

    private string Names(IEnumerable<string> parts) => string.Join(", ", parts.Select(Full));

    private static StorageConfigurationException Wrong(string message) => new(message);
}
