namespace FuncStash.Storage.Tests.Conformance;

/// <summary>Payloads by name.</summary>
public abstract class BodiesConformance : StoreConformance
{
    private readonly string _name = $"b-{Guid.NewGuid():N}";

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_000_000)]
    [InlineData(5 * 1024 * 1024)]
    public async Task A_body_comes_back_as_it_was(int length)
    {
        var content = Content(length);
        await Bodies.PutAsync(_name, content, Cancelled);

        var read = await Bodies.GetAsync(_name, Cancelled);
        Assert.NotNull(read);
        Assert.True(content.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task A_body_that_is_put_again_is_replaced()
    {
        await Bodies.PutAsync(_name, Content(1000), Cancelled);
        await Bodies.PutAsync(_name, Content(10), Cancelled);

        Assert.Equal(Content(10), await Bodies.GetAsync(_name, Cancelled));
        await Bodies.DeleteAsync(_name, Cancelled);
        Assert.Null(await Bodies.GetAsync(_name, Cancelled));
    }

    [Fact]
    public async Task A_part_of_a_buffer_is_stored_as_that_part()
    {
        await Bodies.PutAsync(_name, Content(100).AsMemory(10, 20), Cancelled);
        Assert.Equal(Content(100)[10..30], await Bodies.GetAsync(_name, Cancelled));
    }

    [Fact]
    public async Task A_body_that_is_not_there_is_null_and_its_removal_no_error()
    {
        Assert.Null(await Bodies.GetAsync(_name, Cancelled));
        await Bodies.DeleteAsync(_name, Cancelled);
    }

    [Fact]
    public async Task Bodies_are_kept_apart_by_name()
    {
        await Bodies.PutAsync(_name, Content(5), Cancelled);
        await Bodies.PutAsync(_name + "-é東", Content(6), Cancelled);
        await Bodies.DeleteAsync(_name, Cancelled);

        Assert.Null(await Bodies.GetAsync(_name, Cancelled));
        Assert.Equal(Content(6), await Bodies.GetAsync(_name + "-é東", Cancelled));
    }

    [Fact]
    public async Task Old_bodies_are_listed_page_by_page()
    {
        var names = Enumerable.Range(0, 5).Select(i => $"{_name}-{i}").ToList();
        foreach (var each in names)
            await Bodies.PutAsync(each, Content(100_000), Cancelled);
        await Bodies.DeleteAsync(names[3], Cancelled);
        await Bodies.PutAsync(names[2], Content(10), Cancelled);
        names.RemoveAt(3);

        Assert.Equal(names, (await ListAsync(TimeSpan.FromHours(1))).Order(StringComparer.Ordinal));
        Assert.Empty(await ListAsync(TimeSpan.FromHours(-1)));
    }

    [Fact]
    public async Task A_body_that_is_put_again_is_as_old_as_its_last_writing()
    {
        Assert.SkipWhen(Clock is null, "no clock of its own");
        await Bodies.PutAsync(_name, Content(10), Cancelled);
        Clock!.Advance(TimeSpan.FromDays(1));
        Assert.Equal([_name], await ListAsync(TimeSpan.FromHours(-1)));

        await Bodies.PutAsync(_name, Content(10), Cancelled);
        Assert.Empty(await ListAsync(TimeSpan.FromHours(-1)));
    }

    [Fact]
    public async Task Bodies_that_were_written_earlier_are_not_listed()
    {
        await Bodies.PutAsync(_name, Content(10), Cancelled);

        Assert.Equal([_name], await ListAsync(TimeSpan.FromHours(1), since: TimeSpan.FromHours(-1)));
        Assert.Empty(await ListAsync(TimeSpan.FromHours(2), since: TimeSpan.FromHours(1)));
    }

    [Fact]
    public async Task Of_two_times_the_first_belongs_to_what_is_listed_and_the_second_does_not()
    {
        Assert.SkipWhen(Clock is null, "no clock of its own");
        var names = Enumerable.Range(0, 5).Select(i => $"{_name}-{i}").ToList();
        foreach (var each in names)
        {
            await Bodies.PutAsync(each, Content(10), Cancelled);
            Clock!.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(names[1..4], await ListAsync(TimeSpan.FromHours(-1), since: TimeSpan.FromHours(-4)));
    }

    // Those of this test that were written before so long from now.
    private async Task<List<string>> ListAsync(TimeSpan fromNow, TimeSpan? since = null)
    {
        var now = (Clock ?? TimeProvider.System).GetUtcNow();
        var (found, before, after) = (new List<string>(), now + fromNow, (string?)null);
        var from = since is { } span ? now + span : DateTimeOffset.UnixEpoch;
        do
        {
            var page = await Bodies.ListAsync(from, before, after, 2, Cancelled);
            Assert.InRange(page.Names.Count, 0, 2);
            found.AddRange(page.Names.Where(each => each.StartsWith(_name, StringComparison.Ordinal)));
            after = page.Next;
        }
        while (after is not null);
        return found;
    }

    private static byte[] Content(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }
}
