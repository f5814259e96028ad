namespace FuncStash.Storage.Tests.Conformance;

/// <summary>Payloads by name.</summary>
public abstract class BodiesConformance : StoreConformance
{
    private readonly string name = $"b-{Guid.NewGuid():N}";

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_000_000)]
    [InlineData(5 * 1024 * 1024)]
    public async Task A_body_comes_back_as_it_was(int length)
    {
        var content = Content(length);
        await Bodies.PutAsync(name, content, Cancelled);

        var read = await Bodies.GetAsync(name, Cancelled);
        Assert.NotNull(read);
        Assert.True(content.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task A_body_that_is_put_again_is_replaced()
    {
        await Bodies.PutAsync(name, Content(1000), Cancelled);
        await Bodies.PutAsync(name, Content(10), Cancelled);

        Assert.Equal(Content(10), await Bodies.GetAsync(name, Cancelled));
        await Bodies.DeleteAsync(name, Cancelled);
        Assert.Null(await Bodies.GetAsync(name, Cancelled));
    }

    [Fact]
    public async Task A_part_of_a_buffer_is_stored_as_that_part()
    {
        await Bodies.PutAsync(name, Content(100).AsMemory(10, 20), Cancelled);
        Assert.Equal(Content(100)[10..30], await Bodies.GetAsync(name, Cancelled));
    }

    [Fact]
    public async Task A_body_that_is_not_there_is_null_and_its_removal_no_error()
    {
        Assert.Null(await Bodies.GetAsync(name, Cancelled));
        await Bodies.DeleteAsync(name, Cancelled);
    }

    [Fact]
    public async Task Bodies_are_kept_apart_by_name()
    {
        await Bodies.PutAsync(name, Content(5), Cancelled);
        await Bodies.PutAsync(name + "-é東", Content(6), Cancelled);
        await Bodies.DeleteAsync(name, Cancelled);

        Assert.Null(await Bodies.GetAsync(name, Cancelled));
        Assert.Equal(Content(6), await Bodies.GetAsync(name + "-é東", Cancelled));
    }

    private static byte[] Content(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }
}
