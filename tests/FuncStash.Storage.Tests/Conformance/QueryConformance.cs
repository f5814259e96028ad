namespace FuncStash.Storage.Tests.Conformance;

/// <summary>Ranges of one partition, in ordinal order, page by page.</summary>
public abstract class QueryConformance : StoreConformance
{
    private static readonly string[] s_ordered =
        [.. new[] { "-", ".", "0", "9", "A", "B", "Z", "_", "a", "a-", "a.b", "a|b", "aB", "ab", "a~", "b", "z", "|", "~", "é", "東" }
            .Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Rows_come_in_ordinal_order_whatever_order_they_were_written_in()
    {
        await FillAsync("p", [.. s_ordered.Reverse()]);
        await FillAsync("o", ["x"]);
        await FillAsync("pp", ["x"]);

        Assert.Equal(s_ordered, await KeysAsync("p", RowRange.Prefix("")));
    }

    [Fact]
    public async Task A_prefix_takes_what_starts_with_it()
    {
        await FillAsync("p", s_ordered);

        Assert.Equal(["a", "a-", "a.b", "aB", "ab", "a|b", "a~"], await KeysAsync("p", RowRange.Prefix("a")));
        Assert.Equal(["a|b"], await KeysAsync("p", RowRange.Prefix("a|")));
        Assert.Equal(["~"], await KeysAsync("p", RowRange.Prefix("~")));
        Assert.Empty(await KeysAsync("p", RowRange.Prefix("none")));
        Assert.Empty(await KeysAsync("q", RowRange.Prefix("")));
    }

    [Fact]
    public async Task A_prefix_after_a_key_goes_on_behind_it()
    {
        await FillAsync("p", s_ordered);

        Assert.Equal(["ab", "a|b", "a~"], await KeysAsync("p", RowRange.PrefixAfter("a", "aB")));
        Assert.Equal(["ab", "a|b", "a~"], await KeysAsync("p", RowRange.PrefixAfter("a", "aBsent")));
        Assert.Empty(await KeysAsync("p", RowRange.PrefixAfter("a", "a~")));
    }

    [Fact]
    public async Task From_is_inclusive_unless_told_and_to_is_exclusive()
    {
        await FillAsync("p", ["a", "b", "c", "d"]);

        Assert.Equal(["b", "c"], await KeysAsync("p", new RowRange("b", "d")));
        Assert.Equal(["c"], await KeysAsync("p", new RowRange("b", "d", Exclusive: true)));
        Assert.Equal(["b", "c", "d"], await KeysAsync("p", new RowRange("b", null)));
        Assert.Empty(await KeysAsync("p", new RowRange("c", "c")));
    }

    [Fact]
    public async Task Take_is_the_most_rows_and_fewer_only_at_the_end()
    {
        await FillAsync("p", [.. Enumerable.Range(0, 10).Select(i => $"r{i}")]);

        Assert.Equal(["r0", "r1", "r2"], await KeysAsync("p", RowRange.Prefix("r"), take: 3));
        Assert.Equal(10, (await KeysAsync("p", RowRange.Prefix("r"), take: 10)).Count);
        Assert.Equal(10, (await KeysAsync("p", RowRange.Prefix("r"), take: 11)).Count);
    }

    [Fact]
    public async Task More_rows_than_a_page_of_the_store_come_in_one_query()
    {
        for (var i = 0; i < 11; i++)
            await FillAsync("p", [.. Enumerable.Range(i * 100, 100).Select(n => $"r{n:0000}")]);

        Assert.Equal(1_050, (await KeysAsync("p", RowRange.Prefix(""), take: 1_050)).Count); // a page of Azure Table: 1,000
        Assert.Equal(1_100, (await KeysAsync("p", RowRange.Prefix(""), take: 5_000)).Count);
    }

    [Fact]
    public async Task Keys_only_leaves_the_values_out()
    {
        await FillAsync("p", ["a", "b"]);

        var rows = await Tables.QueryAsync(Table, "p", RowRange.Prefix(""), 10, only: [], Cancelled);

        Assert.Equal(["a", "b"], rows.Select(e => e.RowKey));
        Assert.All(rows, e => Assert.Equal("p", e.PartitionKey));
        Assert.All(rows, e => Assert.Empty(e.Values));
    }

    [Fact]
    public async Task Only_the_values_that_are_asked_for_are_read()
    {
        var large = new byte[300 * 1024]; // in Azure Table a value in several properties
        new Random(1).NextBytes(large);
        await CommitAsync("p",
            new Write.Insert(Row("p", "a", ("Text", "t"), ("Number", 7L), ("Flag", true), ("Small", new byte[] { 1 }), ("Large", large), ("No", false))),
            new Write.Insert(Row("p", "b", ("Other", "o"))));

        foreach (var read in new[] { await QueryAsync("Number", "Small", "Absent"), await GetBothAsync("Number", "Small", "Absent") })
        {
            Assert.Equal(["Number", "Small"], read[0].Values.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(7, read[0].Number("Number"));
            Assert.Equal([1], read[0].Bytes("Small"));
            Assert.Empty(read[1].Values);
        }
        foreach (var read in new[] { await QueryAsync("Large"), await GetBothAsync("Large") })
        {
            Assert.Equal(["Large"], read[0].Values.Keys);
            Assert.True(large.AsSpan().SequenceEqual(read[0].Bytes("Large")));
        }
        foreach (var read in new[] { await QueryAsync("Text", "Flag", "No"), await GetBothAsync("Text", "Flag", "No") })
            Assert.Equal(("t", true, false), (read[0].Text("Text"), read[0].Flag("Flag"), read[0].Flag("No")));
        Assert.All(await GetBothAsync(), row => Assert.Empty(row.Values));
        Assert.Null(await Tables.GetAsync(Table, "p", "c", ["Text"], Cancelled));

        async Task<IReadOnlyList<Entity>> QueryAsync(params string[] names) =>
            await Tables.QueryAsync(Table, "p", RowRange.Prefix(""), 10, names, Cancelled);

        async Task<IReadOnlyList<Entity>> GetBothAsync(params string[] names) =>
            [(await Tables.GetAsync(Table, "p", "a", names, Cancelled))!, (await Tables.GetAsync(Table, "p", "b", names, Cancelled))!];
    }

    [Fact]
    public async Task Rows_read_in_part_carry_the_version_to_write_at()
    {
        await FillAsync("p", ["a", "b", "c"]);

        var queried = await Tables.QueryAsync(Table, "p", new RowRange("a", "c"), 10, ["N"], Cancelled);
        var keys = await Tables.QueryAsync(Table, "p", new RowRange("a", "c"), 10, [], Cancelled);
        var got = (await Tables.GetAsync(Table, "p", "c", ["N"], Cancelled))!;

        Assert.Equal(queried.Select(e => e.ETag), keys.Select(e => e.ETag));
        Assert.True((await CommitAsync("p", [.. queried.Append(got).Select(e => new Write.Delete(e.RowKey, e.ETag))])).Applied);
    }

    [Fact]
    public async Task Queried_rows_carry_values_and_the_version_to_write_at()
    {
        await FillAsync("p", ["a", "b"]);

        var rows = await Tables.QueryAsync(Table, "p", RowRange.Prefix(""), 10, cancellation: Cancelled);

        Assert.Equal([0, 1], rows.Select(e => e.Number("N")));
        Assert.True((await CommitAsync("p", [.. rows.Select(e => new Write.Delete(e.RowKey, e.ETag))])).Applied);
        Assert.Empty(await KeysAsync("p", RowRange.Prefix("")));
    }

    [Fact]
    public async Task Paging_meets_every_row_that_stays_once_while_others_come_and_go()
    {
        await FillAsync("p", [.. Enumerable.Range(0, 50).Select(i => $"r{i * 2:000}")]);
        var met = new List<string>();
        var last = "";

        while (await KeysAsync("p", RowRange.PrefixAfter("r", last), take: 7) is { Count: > 0 } page)
        {
            met.AddRange(page);
            last = page[^1];
            var at = int.Parse(last[1..], null);
            await CommitAsync("p", Insert("p", $"r{at - 1:000}"), new Write.Delete(last, null)); // behind the reader
            if (met.Count < 40)
                await CommitAsync("p", new Write.Delete($"r{at + 6:000}", null), Insert("p", $"r{at + 3:000}")); // ahead
        }

        Assert.Equal(met.Order(StringComparer.Ordinal).Distinct(), met);
        var gone = (await KeysAsync("p", RowRange.Prefix("r"))).Except(met).Select(k => int.Parse(k[1..], null));
        Assert.All(gone, n => Assert.True(n % 2 == 1, $"row {n} was there all the time and was not met"));
    }

    private async Task FillAsync(string partition, IReadOnlyList<string> keys) =>
        Assert.True((await CommitAsync(partition, [.. keys.Select((k, i) => Insert(partition, k, i))])).Applied);

    private async Task<IReadOnlyList<string>> KeysAsync(string partition, RowRange range, int take = 1_000) =>
        [.. (await Tables.QueryAsync(Table, partition, range, take, cancellation: Cancelled)).Select(e => e.RowKey)];
}
