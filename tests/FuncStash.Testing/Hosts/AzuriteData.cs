
namespace FuncStash.Testing;

/// <summary>A storage account of its own, in an Azurite process of its own.</summary>
internal sealed class AzuriteData : DataStore
{
    private readonly AzuriteServer _azurite;

    private AzuriteData(AzuriteServer azurite) => _azurite = azurite;

    public override IReadOnlyList<string> Arguments { get; } = ["--storage", "azure"];

    public override IReadOnlyDictionary<string, string?> Environment =>
        new Dictionary<string, string?> { ["AzureWebJobsStorage"] = _azurite.ConnectionString };

    public static async Task<DataStore> StartAsync() => new AzuriteData(await AzuriteServer.StartAsync());

    /// <summary>An account that can be killed at any time and loses nothing it acknowledged.</summary>
    public static async Task<AzuriteData> StartDurableAsync() => new(await AzuriteServer.StartAsync(savesAtOnce: true));

    /// <summary>An account as an earlier version left it.</summary>
    public static async Task<DataStore> StartOldAsync() =>
        new AzuriteData(await AzuriteServer.StartAsync(contents: Repository.OldData("azure-1.tar.gz")));

    /// <summary>An outage in the middle of whatever it does (SIGKILL): the account answers nobody.</summary>
    public void Kill() => _azurite.Kill();

    public Task RestartAsync() => _azurite.RestartAsync();

    /// <summary>Puts the account's clock forward, and so ends leases.</summary>
    public Task ForwardAsync(TimeSpan span) => _azurite.ForwardAsync(span);

    public override ValueTask DisposeAsync() => _azurite.DisposeAsync();
}
