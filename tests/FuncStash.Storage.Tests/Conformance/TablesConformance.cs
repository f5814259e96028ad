namespace FuncStash.Storage.Tests.Conformance;

/// <summary>Each kind of write, its conflicts, and what a conflict leaves behind: nothing.</summary>
public abstract class TablesConformance : StoreConformance
{
    [Fact]
    public async Task A_row_that_was_never_written_is_null() => Assert.Null(await GetAsync("p", "r"));

    [Fact]
    public async Task The_store_answers() => await Store.PingAsync(Cancelled);

    [Fact]
    public async Task An_inserted_row_is_read_with_its_keys_values_and_version()
    {
        var written = await CommitAsync("p", Insert("p", "r", 7));

        var read = Assert.IsType<Entity>(await GetAsync("p", "r"));
        Assert.True(written.Applied);
        Assert.Equal(("p", "r", 7), (read.PartitionKey, read.RowKey, read.Number("N")));
        Assert.Equal(Assert.Single(written.ETags), read.ETag);
        Assert.Null(await GetAsync("p", "other"));
        Assert.Null(await GetAsync("other", "r"));
        Assert.Null(await Tables.GetAsync(Table + "x", "p", "r", Cancelled));
    }

    [Fact]
    public async Task Insert_conflicts_when_the_row_is_there()
    {
        await CommitAsync("p", Insert("p", "r", 1));

        Assert.Equal(0, (await CommitAsync("p", Insert("p", "r", 2))).FailedWrite);
        Assert.Equal(1, (await GetAsync("p", "r"))!.Number("N"));
    }

    [Fact]
    public async Task Upsert_adds_a_row_or_replaces_all_of_its_values()
    {
        Assert.True((await CommitAsync("p", new Write.Upsert(Row("p", "r", ("A", 1L), ("B", "b"))))).Applied);
        var replaced = await CommitAsync("p", new Write.Upsert(Row("p", "r", ("A", 2L))));

        var read = (await GetAsync("p", "r"))!;
        Assert.Equal(2, read.Number("A"));
        Assert.Null(read.Text("B"));
        Assert.Equal(replaced.ETags[0], read.ETag);
    }

    [Fact]
    public async Task Replace_needs_the_version_that_stands()
    {
        var first = (await CommitAsync("p", Insert("p", "r", 1))).ETags[0];
        var second = await CommitAsync("p", new Write.Replace(Row("p", "r", ("N", 2L)), first));
        var stale = await CommitAsync("p", new Write.Replace(Row("p", "r", ("N", 3L)), first));
        var missing = await CommitAsync("p", new Write.Replace(Row("p", "none", ("N", 3L)), first));

        Assert.True(second.Applied);
        Assert.NotEqual(first, second.ETags[0]);
        Assert.Equal(0, stale.FailedWrite);
        Assert.Empty(stale.ETags);
        Assert.Equal(0, missing.FailedWrite);
        Assert.Equal(2, (await GetAsync("p", "r"))!.Number("N"));
    }

    [Fact]
    public async Task Delete_needs_the_version_that_stands()
    {
        var first = (await CommitAsync("p", Insert("p", "r", 1))).ETags[0];
        var second = (await CommitAsync("p", new Write.Replace(Row("p", "r", ("N", 2L)), first))).ETags[0];

        Assert.Equal(0, (await CommitAsync("p", new Write.Delete("r", first))).FailedWrite);
        Assert.NotNull(await GetAsync("p", "r"));
        var deleted = await CommitAsync("p", new Write.Delete("r", second));
        Assert.Equal("", Assert.Single(deleted.ETags));
        Assert.Null(await GetAsync("p", "r"));
        Assert.Equal(0, (await CommitAsync("p", new Write.Delete("r", second))).FailedWrite);
    }

    [Fact]
    public async Task Delete_of_any_version_needs_the_row()
    {
        await CommitAsync("p", Insert("p", "r"));

        Assert.True((await CommitAsync("p", new Write.Delete("r", null))).Applied);
        Assert.Equal(0, (await CommitAsync("p", new Write.Delete("r", null))).FailedWrite);
    }

    [Fact]
    public async Task A_row_that_was_deleted_and_added_again_has_another_version()
    {
        var first = (await CommitAsync("p", Insert("p", "r", 1))).ETags[0];
        await CommitAsync("p", new Write.Delete("r", first));
        await CommitAsync("p", Insert("p", "r", 1));

        Assert.Equal(0, (await CommitAsync("p", new Write.Delete("r", first))).FailedWrite);
        Assert.NotNull(await GetAsync("p", "r"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Nothing_is_applied_when_any_write_conflicts(int failing)
    {
        var versions = (await CommitAsync(
            "p", Insert("p", "replaced", 1), Insert("p", "deleted", 1), Insert("p", "upserted", 1), Insert("p", "any", 1))).ETags;
        if (failing == 0)
            await CommitAsync("p", Insert("p", "added"));
        else if (failing < 3)
            await CommitAsync("p", new Write.Upsert(Row("p", failing == 1 ? "replaced" : "deleted", ("N", 1L))));
        else if (failing == 4)
            await CommitAsync("p", new Write.Delete("any", null));
        Write[] writes =
        [
            Insert("p", "added", 2),
            new Write.Replace(Row("p", "replaced", ("N", 2L)), versions[0]),
            new Write.Delete("deleted", versions[1]),
            new Write.Upsert(Row("p", "upserted", ("N", 2L))),
            new Write.Delete("any", null),
        ];

        var result = await CommitAsync("p", writes);

        if (failing == 3) // an upsert never conflicts
        {
            Assert.True(result.Applied);
            Assert.Equal(["added", "replaced", "upserted"], (await AllAsync("p")).Select(e => e.RowKey));
            return;
        }

        Assert.Equal(failing, result.FailedWrite);
        Assert.False(result.Applied);
        var rows = (await AllAsync("p")).ToDictionary(e => e.RowKey, e => e.Number("N"));
        Assert.Equal(failing == 0, rows.ContainsKey("added"));
        Assert.Equal(failing != 4, rows.ContainsKey("any"));
        Assert.Equal((1, 1, 1), (rows["replaced"], rows["deleted"], rows["upserted"]));
    }

    [Fact]
    public async Task The_first_of_several_conflicts_is_named()
    {
        await CommitAsync("p", Insert("p", "a"), Insert("p", "b"));

        var result = await CommitAsync(
            "p", Insert("p", "new"), new Write.Delete("none", null), Insert("p", "a"), Insert("p", "b"));

        Assert.Equal(1, result.FailedWrite);
        Assert.Null(await GetAsync("p", "new"));
    }

    [Fact]
    public async Task A_hundred_writes_are_one_commit()
    {
        var writes = Enumerable.Range(0, Commit.MaxWrites).Select(i => Insert("p", $"r{i:000}", i)).ToArray<Write>();

        var result = await CommitAsync("p", writes);

        Assert.Equal(Commit.MaxWrites, result.ETags.Count);
        var rows = await AllAsync("p");
        Assert.Equal(result.ETags, rows.Select(e => e.ETag));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (long?)i), rows.Select(e => e.Number("N")));
    }

    [Fact]
    public async Task More_writes_or_bytes_than_a_commit_may_hold_are_refused()
    {
        var many = Enumerable.Range(0, Commit.MaxWrites + 1).Select(i => Insert("p", $"r{i:000}")).ToArray<Write>();
        var big = Enumerable.Range(0, 5)
            .Select(i => new Write.Insert(Row("p", $"b{i}", ("Data", new byte[600 * 1024])))).ToArray<Write>();

        await Assert.ThrowsAsync<ArgumentException>(() => CommitAsync("p", many));
        await Assert.ThrowsAsync<ArgumentException>(() => CommitAsync("p", big));
        Assert.Empty(await AllAsync("p"));
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a#b")]
    [InlineData("a?b")]
    [InlineData("a%b")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("a\u007Fb")]
    [InlineData("a\u0085b")]
    public async Task What_cannot_be_a_key_is_refused_before_the_store_is_asked(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await Tables.GetAsync(Table, "p", key));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Tables.GetAsync(Table, key, "r"));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Tables.QueryAsync(Table, key, RowRange.Prefix(""), 1));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Tables.QueryAsync(Table, "p", RowRange.PrefixAfter("", key), 1));
        await Assert.ThrowsAsync<ArgumentException>(() => CommitAsync("p", Insert("p", key)));
        await Assert.ThrowsAsync<ArgumentException>(() => CommitAsync(key, Insert(key, "r")));
        await Assert.ThrowsAsync<ArgumentException>(() => CommitAsync("p", new Write.Delete(key, null)));
    }

    [Theory]
    [InlineData(4, Entity.MaxBytes)]
    [InlineData(Commit.MaxWrites, Commit.MaxBytes / Commit.MaxWrites)]
    public async Task A_commit_may_hold_as_much_as_is_allowed(int rows, int bytesEach)
    {
        var writes = Enumerable.Range(0, rows)
            .Select(i => new Write.Upsert(Row("p", $"r{i:000}", ("Data", new byte[bytesEach])))).ToArray<Write>();

        Assert.True((await CommitAsync("p", writes)).Applied);
        Assert.All(await AllAsync("p"), row => Assert.Equal(bytesEach, row.Bytes("Data")!.Length));
    }

    private async Task<IReadOnlyList<Entity>> AllAsync(string partition) =>
        await Tables.QueryAsync(Table, partition, RowRange.Prefix(""), 1000, cancellation: Cancelled);
}
