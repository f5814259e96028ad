namespace FuncStash.Tests.Sizes;

public sealed class LongListTests
{
    [Theory]
    [InlineData(false, 997)]
    [InlineData(true, 997)]
    [InlineData(false, 100)]
    public async Task The_log_pages_correctly_on_SQLite(bool earliestFirst, int count)
    {
        await using var service = new TestService();
        await LongLists.PageLogAsync(service, earliestFirst, count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dead_letters_page_correctly_on_SQLite(bool latestFirst)
    {
        await using var service = new TestService();
        await LongLists.PageDeadLettersAsync(service, latestFirst, count: 100);
    }
}
