using CsCheck;

namespace FuncStash.Tests.Sizes;

public sealed class RandomSizeTests
{
    [Fact]
    public Task Messages_of_any_size_are_refused_in_words_or_come_to_their_end() =>
        RandomSizes.Batch.SampleAsync(async items =>
        {
            await using var service = new TestService();
            await RandomSizes.PlayAsync(service, items);
        }, iter: 40, threads: 2);
}
