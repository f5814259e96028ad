using FuncStash.Messages;
using FuncStash.Sqlite;
using FuncStash.Waiting;

namespace FuncStash.Tests.Waiting;

/// <summary>A message is in one pair of hands, and a work-queue message that comes a moment too early waits for it.</summary>
public sealed class PresenceTests
{
    [Fact]
    public async Task Who_comes_while_another_has_it_takes_it_when_it_is_left()
    {
        var clock = new TestClock();
        await using var store = SqliteStore.Open(":memory:", clock);
        using var presence = new Presence(store.Tables, clock);
        var id = MessageId.Create(clock.Now, 1, 1);
        Assert.True(await presence.TakeSoonAsync(id));

        var next = Enumerable.Range(0, 3).Select(_ => presence.TakeSoonAsync(id).AsTask()).ToList();
        presence.Leave(id);
        Assert.True(await await Task.WhenAny(next));
        Assert.Equal([false, false, true], (await Task.WhenAll(next)).Order());

        presence.Leave(id);
        Assert.False(presence.Has(id));
        Assert.True(await presence.TakeSoonAsync(id));
    }
}
