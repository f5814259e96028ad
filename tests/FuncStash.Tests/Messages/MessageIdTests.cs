using CsCheck;
using FuncStash.Messages;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Tests.Messages;

public sealed class MessageIdTests
{
    // 2000 to 2200, in unix milliseconds.
    private static readonly Gen<long> s_time = Gen.Long[946_684_800_000, 7_258_118_400_000];

    [Fact]
    public void An_id_reads_back_with_its_parts() =>
        Gen.Select(s_time, Gen.Int[0, ushort.MaxValue], Gen.ULong).Sample((ms, counter, random) =>
        {
            var id = MessageId.Create(ms, counter, random);
            Assert.True(MessageId.TryParse(id.Text, out var read));
            Assert.Equal(id, read);
            Assert.Equal(ms, read.CreatedAt);
            Assert.Equal(MessageId.DayOf(ms), read.PartitionDay);
            Assert.InRange(read.Shard, 0, MessageId.Shards - 1);
            Assert.Matches("^msg_[1-9A-HJ-NP-Za-km-z]{22}$", read.Text);
        });

    [Fact]
    public void Ids_sort_by_time_then_counter() =>
        Gen.Select(s_time, Gen.Int[0, 65_534], Gen.ULong, Gen.ULong).Sample((ms, counter, first, second) =>
        {
            var id = MessageId.Create(ms, counter, first).Text;
            Assert.True(string.CompareOrdinal(id, MessageId.Create(ms, counter + 1, second).Text) < 0);
            Assert.True(string.CompareOrdinal(id, MessageId.Create(ms + 1, 0, second).Text) < 0);
        });

    [Fact]
    public void A_follower_lies_in_the_partition_of_its_source_however_much_later_it_is_made() =>
        Gen.Select(s_time, Gen.ULong, Gen.Long[0, 400L * 86_400_000]).Sample((ms, random, later) =>
        {
            var source = MessageId.Create(ms, 0, random);
            var follower = source.Follower("callback|0", ms + later);
            Assert.Equal(ms + later, follower.CreatedAt);
            Assert.Equal((source.PartitionDay, source.Shard), (follower.PartitionDay, follower.Shard));
            Assert.Equal(MessageId.DayOf(ms) != MessageId.DayOf(ms + later), follower.LiesInOlderPartition);
            Assert.NotEqual(follower, source.Follower("callback|1", ms + later));
        });

    [Fact]
    public void The_same_cause_gives_the_same_id()
    {
        Assert.Equal(MessageId.FromCause("schedule|a|1", 5), MessageId.FromCause("schedule|a|1", 5));
        Assert.NotEqual(MessageId.FromCause("schedule|a|1", 5), MessageId.FromCause("schedule|b|1", 5));
    }

    [Theory]
    [InlineData("")]
    [InlineData("msg_")]
    [InlineData("msg_1ChL4Uxxs5NuXAEUDKhR4")]
    [InlineData("msg_1ChL4Uxxs5NuXAEUDKhR450")]
    [InlineData("msg_1ChL4Uxxs5NuXAEUDKhR4l")]
    [InlineData("msg_zzzzzzzzzzzzzzzzzzzzzz")]
    [InlineData("1ChL4Uxxs5NuXAEUDKhR45")]
    public void What_is_no_id_is_told_apart(string text) => Assert.False(MessageId.TryParse(text, out _));

    [Fact]
    public void Ids_of_one_process_rise_while_its_clock_is_only_put_right_and_follow_one_that_is_set_back()
    {
        Gen.Select(Gen.Frequency((8, Gen.Long[0, 3]), (2, Gen.Long[-500, -1]), (1, Gen.Long[-7_200_000, -501])), Gen.Int[1, 50])
            .Array[1, 30].Sample(steps =>
        {
            var time = new FakeTimeProvider();
            var ids = new MessageIds(time, MessageId.Shards);
            var (made, latest) = (new HashSet<MessageId>(), (MessageId?)null);
            foreach (var (ms, count) in steps)
            {
                time.AdjustTime(time.GetUtcNow().AddMilliseconds(ms));
                for (var i = 0; i < count; i++)
                {
                    var (now, id) = (time.GetUtcNow().ToUnixTimeMilliseconds(), ids.Next());
                    // Never behind, and hardly ahead.
                    Assert.InRange(id.CreatedAt, now, now + 500);
                    Assert.True(made.Add(id));
                    if (latest is { } before && before.CreatedAt - now <= 500)
                        Assert.True(string.CompareOrdinal(before.Text, id.Text) < 0);
                    latest = id;
                }
            }
        });
    }

    [Fact]
    public void More_ids_than_a_millisecond_holds_borrow_from_the_next()
    {
        var ids = new MessageIds(new FakeTimeProvider(), MessageId.Shards);
        var made = Enumerable.Range(0, 70_000).Select(_ => ids.Next().Text).ToList();

        Assert.Equal(made.Order(StringComparer.Ordinal), made);
        Assert.Equal(made.Count, made.Distinct().Count());
    }

    [Fact]
    public void A_follower_lies_with_its_source_whatever_its_clock_says()
    {
        // Made ten seconds after midnight, by a clock that is ahead.
        var midnight = new DateTimeOffset(2026, 3, 2, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        var source = MessageId.Create(midnight + 10_000, 0, 7);

        var follower = source.Follower("callback", midnight - 5_000);

        Assert.Equal((source.PartitionDay, source.Shard), (follower.PartitionDay, follower.Shard));
        Assert.Equal(source.CreatedAt, follower.CreatedAt);
    }
}
