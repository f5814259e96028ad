using FuncStash.Azure;

namespace FuncStash.Storage.Tests;

/// <summary>The service's long lists on Azure Storage, as on SQLite.</summary>
public sealed class LongListTests(AzuriteAccount azurite)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_log_pages_correctly(bool earliestFirst)
    {
        using var store = new AzureStore(azurite.Options());
        await using var service = new TestService(store: store);
        await LongLists.PageLogAsync(service, earliestFirst, count: 997);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dead_letters_page_correctly(bool latestFirst)
    {
        using var store = new AzureStore(azurite.Options());
        await using var service = new TestService(store: store);
        await LongLists.PageDeadLettersAsync(service, latestFirst, count: 100);
    }
}
