using Azure.Core;
using FuncStash.Azure;
using static FuncStash.Storage.Tests.Rows;

namespace FuncStash.Storage.Tests;

/// <summary>The client library repeats a request whose answer was lost; what it reports then must still be the truth.</summary>
public sealed class LostAnswerTests(AzuriteAccount account)
{
    [Fact]
    public async Task An_insert_that_was_done_is_no_conflict()
    {
        using var store = await OpenAsync(RequestMethod.Post);

        var result = await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row("a", 1))]));

        Assert.True(result.Applied);
        Assert.Equal((await store.Tables.GetAsync("t", "p", "a"))!.ETag, result.ETags[0]);
    }

    [Fact]
    public async Task An_insert_of_a_row_that_is_there_stays_a_conflict_even_with_equal_values()
    {
        using var store = await OpenAsync(RequestMethod.Post, RequestMethod.Post);
        await store.Tables.CommitAsync(new("t", "p", [new Write.Upsert(Row("a", 1))]));

        var result = await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row("a", 1))]));

        Assert.Equal(0, result.FailedWrite);
    }

    [Fact]
    public async Task A_replace_that_was_done_is_no_conflict()
    {
        using var store = await OpenAsync();
        var old = await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row("a", 1))]));
        using var losing = new AzureStore(_lastOptions! with { OperationPolicy = new LostAnswers(RequestMethod.Put) });

        var result = await losing.Tables.CommitAsync(new("t", "p", [new Write.Replace(Row("a", 2), old.ETags[0])]));

        Assert.True(result.Applied);
        var row = await store.Tables.GetAsync("t", "p", "a");
        Assert.Equal(2, row!.Number("N"));
        Assert.Equal(row.ETag, result.ETags[0]);
    }

    [Fact]
    public async Task A_transaction_that_was_done_is_no_conflict()
    {
        using var store = await OpenAsync();
        await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row("gone", 1))]));
        using var losing = new AzureStore(_lastOptions! with { OperationPolicy = new LostAnswers(RequestMethod.Post) });

        var result = await losing.Tables.CommitAsync(new("t", "p",
            [new Write.Insert(Row("a", 1)), new Write.Delete("gone", null), new Write.Upsert(Row("b", 2))]));

        Assert.True(result.Applied);
        Assert.Equal((await store.Tables.GetAsync("t", "p", "a"))!.ETag, result.ETags[0]);
        Assert.Equal("", result.ETags[1]);
        Assert.Equal((await store.Tables.GetAsync("t", "p", "b"))!.ETag, result.ETags[2]);
    }

    [Fact]
    public async Task A_transaction_that_somebody_else_prevented_stays_a_conflict()
    {
        using var store = await OpenAsync();
        await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row("a", 1))]));
        using var losing = new AzureStore(_lastOptions! with { OperationPolicy = new LostAnswers(RequestMethod.Post) });

        var result = await losing.Tables.CommitAsync(new("t", "p",
            [new Write.Upsert(Row("b", 2)), new Write.Insert(Row("a", 1))]));

        Assert.Equal(1, result.FailedWrite);
        Assert.Null(await store.Tables.GetAsync("t", "p", "b"));
    }

    [Fact]
    public async Task A_delete_that_was_done_is_no_conflict_in_tables_and_queues()
    {
        using var store = await OpenAsync();
        await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row("a", 1))]));
        await store.Queues.SendAsync([new Send("work", "x")]);
        using var losing = new AzureStore(
            _lastOptions! with { OperationPolicy = new LostAnswers(RequestMethod.Delete, RequestMethod.Delete) });
        var lease = Assert.Single(
            await losing.Queues.ReceiveAsync("work", 1, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5)));

        Assert.True((await losing.Tables.CommitAsync(new("t", "p", [new Write.Delete("a", null)]))).Applied);
        Assert.True(await losing.Queues.DeleteAsync(lease));
        Assert.False(await losing.Queues.DeleteAsync(lease));
        Assert.Equal(0, await store.Queues.CountAsync("work"));
    }

    [Fact]
    public async Task A_commit_whose_caller_hangs_up_meanwhile_still_sends_what_it_promised()
    {
        using var store = await OpenAsync();
        using var hangUp = new HangUp(RequestMethod.Post);
        using var impatient = new AzureStore(_lastOptions! with { OperationPolicy = hangUp });

        var result = await impatient.Tables.CommitAsync(
            new("t", "p", [new Write.Insert(Row("a", 1))]) { Sends = [new Send("work", "a")] }, hangUp.Caller);

        Assert.True(hangUp.Caller.IsCancellationRequested);
        Assert.True(result.Applied);
        Assert.Equal("a", Assert.Single(
            await store.Queues.ReceiveAsync("work", 1, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5))).Text);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await impatient.Tables.CommitAsync(
            new("t", "p", [new Write.Insert(Row("b", 1))]), hangUp.Caller));
        Assert.Null(await store.Tables.GetAsync("t", "p", "b"));
    }

    private AzureStoreOptions? _lastOptions;

    // The table is created beforehand, so that the losses hit the operations that the test is about.
    private async Task<AzureStore> OpenAsync(params RequestMethod[] losses)
    {
        _lastOptions = account.Options();
        using (var first = new AzureStore(_lastOptions))
            await first.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row("first", 0))]));
        var store = new AzureStore(_lastOptions with { OperationPolicy = new LostAnswers(losses) });
        return store;
    }
}
