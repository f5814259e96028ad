using System.Text.Json.Nodes;

namespace FuncStash.Testing;

/// <summary>The same server process with its data in an Azure Storage account.</summary>
public sealed class AzuriteHost : ServerHost
{
    public override string Name => "Server+Azurite";

    public override Task<DataStore> NewDataAsync() => AzuriteData.StartAsync();

    public override async Task<(DataStore, JsonNode)> OldDataAsync() => (await AzuriteData.StartOldAsync(), Repository.OldContents("azure-1.json"));
}
