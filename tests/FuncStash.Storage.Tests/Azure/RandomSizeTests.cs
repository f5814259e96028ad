using CsCheck;
using FuncStash.Azure;

namespace FuncStash.Storage.Tests;

/// <summary>Messages of any size on Azure Storage, as on SQLite.</summary>
public sealed class RandomSizeTests(AzuriteAccount azurite)
{
    [Fact]
    public Task Messages_of_any_size_are_refused_in_words_or_come_to_their_end() =>
        RandomSizes.Batch.SampleAsync(async items =>
        {
            using var store = new AzureStore(azurite.Options());
            await using var service = new TestService(store: store);
            await RandomSizes.PlayAsync(service, items);
        }, iter: 20, threads: 1);
}
