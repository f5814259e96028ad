namespace FuncStash.Storage.Tests.Conformance;

/// <summary>Every type and size of value comes back as it was written.</summary>
public abstract class ValuesConformance : StoreConformance
{
    public static TheoryData<object> Simple =>
    [
        "", "plain", " spaced ", "Zürich 東京 🙂 e\u0301", "line\r\nbreak\ttab\0nul \"quoted\" <b>&amp;</b> \\ / # ? %",
        0L, 1L, -1L, 127L, 128L, 300L, int.MaxValue + 1L, long.MinValue, long.MaxValue, true, false,
    ];

    [Theory]
    [MemberData(nameof(Simple))]
    public async Task A_value_comes_back_as_it_was(object value)
    {
        Assert.Equal(value, await RoundTripAsync(value));
    }

    [Fact]
    public async Task The_longest_text_comes_back_as_it_was()
    {
        var text = new string('ß', 32_000);
        Assert.Equal(text, await RoundTripAsync(text));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4_096)]
    [InlineData(64 * 1024)] // Azure Table cuts a property off at 64 KiB
    [InlineData(64 * 1024 + 1)]
    [InlineData(500 * 1024)]
    [InlineData(Entity.MaxBytes)]
    public async Task Binary_comes_back_as_it_was(int length)
    {
        var value = new byte[length];
        new Random(length).NextBytes(value);

        var read = (byte[])await RoundTripAsync(value);
        Assert.True(value.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task The_largest_row_may_be_written_in_every_way()
    {
        var row = Row("p", "r", ("Data", new byte[Entity.MaxBytes]));

        var inserted = await CommitAsync("p", new Write.Insert(row));
        var replaced = await CommitAsync("p", new Write.Replace(row, inserted.ETags[0]));
        var upserted = await CommitAsync("p", new Write.Upsert(row));
        var together = await CommitAsync("p", new Write.Replace(row, upserted.ETags[0]), new Write.Upsert(Row("p", "s")));

        Assert.True(replaced.Applied && together.Applied);
        Assert.Equal(Entity.MaxBytes, (await GetAsync("p", "r"))!.Bytes("Data")!.Length);
    }

    [Fact]
    public async Task A_row_holds_values_of_all_types_and_none_that_was_not_set()
    {
        var values = new (string, object)[]
        {
            ("Text", "t"), ("Empty", ""), ("Number", 42L), ("Yes", true), ("No", false), ("Bytes", new byte[] { 1, 2 }),
            ("NoBytes", Array.Empty<byte>()),
        };
        await CommitAsync("p", new Write.Insert(Row("p", "r", values)), new Write.Insert(Row("p", "s")));

        var read = (await GetAsync("p", "r"))!;
        Assert.Equal(values.Select(v => v.Item1).Order(StringComparer.Ordinal), read.Values.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(values.Length, read.Values.Count);
        Assert.All(values, v => Assert.Equal(v.Item2, read.Values[v.Item1]));
        Assert.Equal(("t", "", 42), (read.Text("Text"), read.Text("Empty"), read.Number("Number")));
        Assert.Equal((true, false, false), (read.Flag("Yes"), read.Flag("No"), read.Flag("Unset")));
        Assert.Equal([1, 2], read.Bytes("Bytes"));
        Assert.Empty(read.Bytes("NoBytes")!);
        Assert.Equal((null, null, null), (read.Text("Unset"), read.Number("Unset"), read.Bytes("Unset")));
        Assert.False(read.Values.ContainsKey("Unset"));
        Assert.Empty((await GetAsync("p", "s"))!.Values);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("A|b~c-d_e.f")]
    [InlineData("msg_7YoJxFpwkEy5zBp378JgvD6YBDPBEqkBdje2gGhUJJJ5yA")]
    [InlineData("with space, 'quote', @ + = : ; ( ) [ ] { } ! $ & * ^ ` \" < >")]
    [InlineData("größe-東京-🙂")]
    public async Task Keys_are_what_they_were(string key)
    {
        var etag = (await CommitAsync(key, Insert(key, key, 1))).ETags[0];

        var read = (await GetAsync(key, key))!;
        Assert.Equal((key, key, etag), (read.PartitionKey, read.RowKey, read.ETag));
        var listed = await Tables.QueryAsync(Table, key, RowRange.Prefix(key), 10, cancellation: Cancelled);
        Assert.Equal(key, Assert.Single(listed).RowKey);
        Assert.True((await CommitAsync(key, new Write.Delete(key, etag))).Applied);
    }

    private async Task<object> RoundTripAsync(object value)
    {
        await CommitAsync("p", new Write.Insert(Row("p", "r", ("Value", value))));
        var read = (await GetAsync("p", "r"))!;
        var listed = Assert.Single(await Tables.QueryAsync(Table, "p", RowRange.Prefix("r"), 1, cancellation: Cancelled));
        var (one, other) = (read.Values["Value"], listed.Values["Value"]);
        if (one is byte[] bytes)
            Assert.True(bytes.AsSpan().SequenceEqual((byte[])other));
        else
            Assert.Equal(one, other);
        return one;
    }
}
